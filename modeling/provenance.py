"""What a model was trained on, in `provenance.json` beside its weights: hashes of clips and captions, never these
themselves.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from modeling import splits
from modeling.data_sets import data_set_of, data_sets_of_model
from modeling.dataset import PairSet
from modeling.results import TrainingRefused
from modeling.snapshot import Snapshot

PROVENANCE = "provenance.json"


@dataclass(frozen=True)
class Provenance:
    """`clips` are sha256 of files, `captions` those of folded captions; both ascend. `data` names public data sets, and
    `unlisted` those of them whose clips and captions are not all listed here: a published base model's.

    `complete` is false of an ensemble with a member that does not say what it has learned from.
    What the base model was trained on, where it says so itself, is among them; `snapshot_sha256` and `test` are of the
    last training alone.
    """

    snapshot_sha256: str
    test: str
    base_model: str
    data: tuple[str, ...]
    unlisted: tuple[str, ...]
    clips: tuple[str, ...]
    captions: tuple[str, ...]
    complete: bool = True


def caption_sha256(caption: str) -> str:
    """Of the caption in lower case with spaces folded, as it decides on the split."""
    return hashlib.sha256(splits.fold_caption(caption).encode("utf-8", "surrogatepass")).hexdigest()


def provenance_of(pairs: PairSet, snapshot: Snapshot, base_model: str) -> Provenance:
    """That of a model tuned on the snapshot's training pairs and chosen and calibrated by its validation pairs.

    `base_model` is what the configuration names. Raises `TrainingRefused` where its own provenance cannot be read.
    """
    learned = pairs.where(splits.TRAIN, splits.VALIDATION).tolist()
    clips = {pairs.clips[pairs.clip[number]] for number in learned}
    captions = {caption_sha256(pairs.captions[number]) for number in learned}
    unlisted = set(data_sets_of_model(base_model))
    known = data_set_of(snapshot.test, [pairs.systems[number] for number in learned])
    data = unlisted | ({known} if known else set())
    before = read_provenance(Path(base_model))
    if before is not None:
        clips, captions = clips | {*before.clips}, captions | {*before.captions}
        data, unlisted = data | {*before.data}, unlisted | {*before.unlisted}
    return Provenance(
        snapshot_sha256=snapshot.info.sha256,
        test=snapshot.test,
        base_model=base_model,
        data=_ascending(data),
        unlisted=_ascending(unlisted),
        clips=_ascending(clips),
        captions=_ascending(captions),
    )


def write_provenance(provenance: Provenance, model_dir: Path) -> None:
    (model_dir / PROVENANCE).write_text(json.dumps(asdict(provenance), indent=1) + "\n", encoding="utf-8")


def read_provenance(model_dir: Path) -> Provenance | None:
    """What lies beside the weights, or None. Raises `TrainingRefused` where it is no provenance."""
    path = model_dir / PROVENANCE
    if not path.is_file():
        return None
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return Provenance(
            snapshot_sha256=_text(values["snapshot_sha256"]),
            test=_text(values["test"]),
            base_model=_text(values["base_model"]),
            data=_ascending(_texts(values["data"])),
            unlisted=_ascending(_texts(values["unlisted"])),
            clips=_ascending(_texts(values["clips"])),
            captions=_ascending(_texts(values["captions"])),
            complete=values.get("complete", True) is True,
        )
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise TrainingRefused(
            f"{path} cannot be read as a list of what the model was trained on: {error}. Export the model again, or "
            "remove the file."
        ) from error


def _ascending(texts: set[str] | Sequence[str]) -> tuple[str, ...]:
    return tuple(sorted(set(texts)))


def _texts(value: object) -> list[str]:
    if not isinstance(value, list):
        raise TypeError("a list is missing")
    return [_text(one) for one in value]


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value
