"""The proof of scoring's speed, small: that it measures what it says, and that both ways give the same cosines."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from benchmarks.scoring_speed import generate, measure
from modeling.model import Clap


def counted(name: str, passes: dict[str, int]) -> Callable[[Clap, Sequence[Any]], Any]:
    method = getattr(Clap, name)

    def call(clap: Clap, items: Sequence[Any]) -> Any:
        passes[name] += len(items)
        return method(clap, items)

    return call


def test_it_works(builtin: Clap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each clip goes through its tower once in all; captions do when cold, and the new ones."""
    passes: dict[str, int] = {"encode_mels": 0, "encode_text": 0}
    for name in passes:
        monkeypatch.setattr(Clap, name, counted(name, passes))
    pairs = generate(tmp_path, n_pairs=24, n_clips=4, n_captions=6, seconds=2)
    assert len(set(pairs.clips)) == 4
    assert len(set(pairs.captions)) == len(set(pairs.new_captions)) == 6
    assert not set(pairs.captions) & set(pairs.new_captions)
    found = measure(builtin, pairs, n_reference=10, n_rounds=1)
    assert found["largest difference"] == pytest.approx(0, abs=1e-4)
    assert list(found)[:4] == ["reference", "cold", "all kept", "clips kept, captions new"]
    assert passes == {"encode_mels": 4, "encode_text": 12}
    assert found["cold / reference"] == pytest.approx(found["cold"] / found["reference"])
