"""Arrays kept on disk between runs: log-mels, embeddings, outputs of frozen layers; whatever is dear to make.

A key says everything that the array depends on: content (a sha256) and settings. An entry is a file of its own, named
by the key's hash, written beside its place and renamed there, so processes may share a directory. It carries its key
and a checksum (XXH3, 128 bits) over all that it holds: one that was cut short or changed is removed and made again,
never used. The entries used longest ago go first once they outgrow the limit. What cannot be written is not kept, and
the work goes on.

Nothing is unpickled: an entry is plain numbers behind a header of JSON.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import mmap
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xxhash

log = logging.getLogger(__name__)

Array = npt.NDArray[np.floating[Any]]

MAGIC = b"EARMARK1"
# Magic, checksum, length of the header; then the header, padded so that the numbers lie where vector units like them.
CHECKSUM_AT, HEADER_AT, ALIGNMENT = 8, 32, 64
DTYPES = ("<f2", "<f4", "<f8")
BLOCK = 4096
# A process may own only so many mappings: small entries are read instead.
MAPPED_FROM = 1 << 16
# How full the directory is after the oldest entries went, and how much one process writes before it looks again.
FILLED_AFTER_EVICTION, LOOK_AGAIN = 0.9, 1 / 16
DRAFT, LOCK = ".draft", "lock"
DRAFT_SECONDS = 3600


class KeptArrays:
    """Float arrays by key in a directory of at most about `max_bytes` (each process may be a sixteenth out).

    Safe between threads and processes. A `directory` of None keeps nothing.
    """

    def __init__(self, directory: Path | None, max_bytes: int) -> None:
        self.directory = directory
        self.max_bytes = max_bytes
        self._writable = directory is not None and max_bytes > 0
        self._guard = threading.Lock()
        self._total: int | None = None
        self._since_look = 0

    def get(self, key: str) -> Array | None:
        """The array kept under `key`, memory-mapped unless it is small, or None.

        What is written into the array stays in this process.
        """
        if self.directory is None:
            return None
        path = self._path(key)
        try:
            content = _content(path)
        except OSError:
            return None
        array = _parsed(content, key)
        try:
            if array is None:
                path.unlink()
            else:
                os.utime(path)
        except OSError:
            pass
        return array

    def put(self, key: str, array: Array) -> None:
        """Keep `array` (float16, float32 or float64, any shape), if it can be kept.

        Raises `ValueError` for another type of number.
        """
        dtype = array.dtype.newbyteorder("<").str
        if dtype not in DTYPES:
            raise ValueError(f"Only float arrays are kept, and '{key}' is {array.dtype}.")
        entry = _entry(key, dtype, array)
        size = _on_disk(sum(map(len, entry)))
        if not self._writable or size > self.max_bytes * FILLED_AFTER_EVICTION:
            return
        try:
            self._make_room(size)
            self._write(self._path(key), entry)
        except OSError as error:
            self._writable = False
            log.warning("The cache %s cannot be written (%s); going on without it.", self.directory, error.strerror)

    def get_or_make(self, key: str, make: Callable[[], Array]) -> Array:
        """The array kept under `key`, or what `make` returns, which is then kept."""
        found = self.get(key)
        if found is None:
            found = make()
            self.put(key, found)
        return found

    def _path(self, key: str) -> Path:
        assert self.directory is not None  # noqa: S101 -- for the type checker
        name = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
        return self.directory / name[:2] / name[2:]

    def _write(self, path: Path, entry: list[Any]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_name(f"{path.name}.{os.getpid()}-{secrets.token_hex(4)}{DRAFT}")
        try:
            with draft.open("xb") as file:
                file.writelines(entry)
            draft.replace(path)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise

    def _make_room(self, size: int) -> None:
        with self._guard:
            if self._total is None or self._since_look > self.max_bytes * LOOK_AGAIN:
                self._total, self._since_look = sum(_on_disk(stat.st_size) for _, stat in self._entries()), 0
            if self._total + size > self.max_bytes:
                self._total = self._evict(size)
            self._total += size
            self._since_look += size

    def _evict(self, size: int) -> int:
        """Remove the entries used longest ago; one process at a time. Returns what is left, in bytes."""
        assert self.directory is not None  # noqa: S101 -- for the type checker
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self.directory / LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            oldest_first = sorted(self._entries(), key=lambda entry: entry[1].st_mtime_ns)
            total = sum(_on_disk(stat.st_size) for _, stat in oldest_first)
            for path, stat in oldest_first:
                if total + size <= self.max_bytes * FILLED_AFTER_EVICTION:
                    break
                path.unlink(missing_ok=True)
                total -= _on_disk(stat.st_size)
        return total

    def _entries(self) -> Iterator[tuple[Path, os.stat_result]]:
        """Every entry with its size and time; drafts that nobody can be writing any more are removed."""
        assert self.directory is not None  # noqa: S101 -- for the type checker
        for path in self.directory.glob("??/*"):
            try:
                stat = path.stat()
                if path.suffix == DRAFT and time.time() - stat.st_mtime > DRAFT_SECONDS:
                    path.unlink()
                else:
                    yield path, stat
            except FileNotFoundError:
                continue


def _on_disk(size: int) -> int:
    """Bytes that a file of `size` bytes takes of a disk."""
    return -(-size // BLOCK) * BLOCK


def _entry(key: str, dtype: str, array: Array) -> list[Any]:
    """The pieces of an entry's file, in order."""
    header = json.dumps({"key": key, "dtype": dtype, "shape": array.shape}).encode()
    header += b" " * (-(HEADER_AT + len(header)) % ALIGNMENT)
    length = len(header).to_bytes(HEADER_AT - CHECKSUM_AT - 16, "little")
    numbers = np.ascontiguousarray(array, dtype=dtype).reshape(-1).view(np.uint8).data
    sum128 = xxhash.xxh3_128()
    for piece in (length, header, numbers):
        sum128.update(piece)
    return [MAGIC, sum128.digest(), length, header, numbers]


def _content(path: Path) -> bytearray | mmap.mmap:
    """The bytes of a file, in memory or mapped copy-on-write."""
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_size < MAPPED_FROM:
            return bytearray(file.read())
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)


def _parsed(content: bytearray | mmap.mmap, key: str) -> Array | None:
    """The array of an entry; None where a byte of it is not what was written, or it belongs to another key."""
    view = memoryview(content)
    if len(view) < HEADER_AT or view[:CHECKSUM_AT] != MAGIC:
        return None
    length_at = CHECKSUM_AT + 16
    if view[CHECKSUM_AT:length_at] != xxhash.xxh3_128_digest(view[length_at:]):
        return None
    start = HEADER_AT + int.from_bytes(view[length_at:HEADER_AT], "little")
    header = json.loads(bytes(view[HEADER_AT:start]))
    if header["key"] != key:
        return None
    return np.frombuffer(content, dtype=header["dtype"], offset=start).reshape(header["shape"])
