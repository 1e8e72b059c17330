"""Arrays kept on disk: what comes back is what went in, or nothing."""

import logging
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from modeling.cache_place import cache_place, open_cache
from modeling.config import ConfigError
from modeling.kept_arrays import KeptArrays

FULL = 10**9
LARGE = np.arange(40_000, dtype=np.float32).reshape(200, 200)
WRITER = """
import sys, numpy as np
from pathlib import Path
from modeling.kept_arrays import KeptArrays
cache = KeptArrays(Path(sys.argv[1]), 400_000)
for turn in range(60):
    for number in range(8):
        found = cache.get_or_make(f"key {number}", lambda: np.full((5_000,), float(number)))
        assert found.shape == (5_000,) and (found == number).all()
"""


def entries(directory: Path) -> list[Path]:
    return sorted(path for path in directory.glob("??/*"))


def test_it_works(tmp_path: Path) -> None:
    made: list[int] = []

    def make() -> np.ndarray:
        made.append(1)
        return LARGE.copy()

    for _ in range(3):
        found = KeptArrays(tmp_path / "cache", FULL).get_or_make("a key", make)
        assert (found == LARGE).all()
        found[0, 0] = -1  # stays here
    assert made == [1]
    assert KeptArrays(tmp_path / "cache", FULL).get("another key") is None


@given(
    array=arrays.arrays(
        st.sampled_from([np.float16, np.float32, np.float64, ">f4"]), arrays.array_shapes(min_dims=0, min_side=0)
    ),
    key=st.text(st.characters()),
)
@settings(max_examples=30, deadline=None)
def test_any_float_array_comes_back_to_the_bit(
    tmp_path_factory: pytest.TempPathFactory, array: np.ndarray, key: str
) -> None:
    cache = KeptArrays(tmp_path_factory.mktemp("cache"), FULL)
    cache.put(key, array)
    found = cache.get(key)
    assert found is not None
    assert found.shape == array.shape
    assert found.dtype == array.dtype.newbyteorder("=")
    assert found.tobytes() == array.astype(found.dtype).tobytes()


def test_other_numbers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^Only float arrays are kept, and 'a' is int64\.$"):
        KeptArrays(tmp_path, FULL).put("a", np.arange(3))


@pytest.mark.parametrize("array", [LARGE, LARGE[:2, :3]], ids=["mapped", "read"])
@pytest.mark.parametrize("place", [0, 9, 26, 40, -1])
def test_a_changed_byte_is_noticed_and_the_array_made_again(tmp_path: Path, array: np.ndarray, place: int) -> None:
    cache = KeptArrays(tmp_path, FULL)
    cache.put("key", array)
    (entry,) = entries(tmp_path)
    content = bytearray(entry.read_bytes())
    content[place] ^= 1
    entry.write_bytes(content)
    assert cache.get("key") is None
    assert entries(tmp_path) == []
    assert (cache.get_or_make("key", lambda: array + 1) == array + 1).all()
    assert cache.get("key") is not None


@pytest.mark.parametrize("length", [0, 1, 31, 33, 1_000, 160_000])
def test_an_entry_cut_short_is_noticed(tmp_path: Path, length: int) -> None:
    cache = KeptArrays(tmp_path, FULL)
    cache.put("key", LARGE)
    os.truncate(entries(tmp_path)[0], length)
    assert cache.get("key") is None


def test_an_entry_in_the_wrong_place_is_not_used(tmp_path: Path) -> None:
    cache = KeptArrays(tmp_path, FULL)
    cache.put("one", LARGE)
    (one,) = entries(tmp_path)
    cache.put("two", LARGE + 1)
    (two,) = set(entries(tmp_path)) - {one}
    one.replace(two)
    assert cache.get("two") is None


def test_the_entries_used_longest_ago_go_first(tmp_path: Path) -> None:
    cache, array = KeptArrays(tmp_path, 10 * 8_192), np.zeros(1_000)
    for number in range(9):
        cache.put(f"key {number}", array)
        os.utime(max(entries(tmp_path), key=lambda path: path.stat().st_mtime_ns), (number, number))
    assert cache.get("key 0") is not None
    for number in range(9, 12):
        cache.put(f"key {number}", array)
        assert sum(path.stat().st_size for path in entries(tmp_path)) <= 10 * 8_192
    kept = [number for number in range(12) if cache.get(f"key {number}") is not None]
    assert kept[0] == 0
    assert kept[1:] == list(range(kept[1], 12))
    cache.put("too large", np.zeros(100_000))
    assert cache.get("too large") is None
    assert cache.get("key 11") is not None


def test_processes_share_a_directory_that_is_too_small_for_all(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    running = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]  # noqa: S603
    for process in running:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
    assert not list(tmp_path.glob("**/*.draft"))
    assert sum(path.stat().st_size for path in entries(tmp_path)) <= 1.2 * 400_000


def test_what_cannot_be_written_is_not_kept_and_the_work_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    cache = KeptArrays(tmp_path / "file", FULL)
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            assert (cache.get_or_make("key", lambda: LARGE) == LARGE).all()
    assert caplog.messages == [
        f"The cache {tmp_path / 'file'} cannot be written (Not a directory); going on without it."
    ]


def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", full)
        cache = KeptArrays(tmp_path, FULL)
        assert (cache.get_or_make("key", lambda: LARGE) == LARGE).all()
    assert entries(tmp_path) == []


def test_no_directory_keeps_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    cache = open_cache(None)
    cache.put("key", LARGE)
    assert cache.get("key") is None
    assert list(tmp_path.iterdir()) == []


def test_where_it_lies_and_how_large_it_may_grow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EARMARK_CACHE", str(tmp_path / "named"))
    assert cache_place() == tmp_path / "named"
    monkeypatch.delenv("EARMARK_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    assert cache_place() == tmp_path / "caches" / "earmark"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_place() == Path.home() / ".cache" / "earmark"
    assert open_cache(tmp_path).max_bytes == 10**10
    monkeypatch.setenv("EARMARK_CACHE_GB", "0.5")
    assert open_cache(tmp_path).max_bytes == 5 * 10**8


@pytest.mark.parametrize("size", ["much", "-1", "nan", "inf"])
def test_a_size_that_is_none_is_refused(size: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EARMARK_CACHE_GB", size)
    with pytest.raises(ConfigError, match=f"^EARMARK_CACHE_GB must be a size in gigabytes such as 10, not '{size}'"):
        open_cache(None)
