"""Copies of files that are read once: what is written is what was hashed. Hard links stay links."""

import hashlib
import os
import stat
from collections.abc import Collection, Iterator
from pathlib import Path

from webapp.backups.manifest import CHUNK_BYTES, StoredFile


class Copier:
    """Copies into `target`, keeping modes and times; a file with several names on its disk is copied once."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self._copied: dict[tuple[int, int], StoredFile] = {}

    def copy(self, source: Path, name: str) -> StoredFile:
        """Copies one file to `name` below the target. Raises FileNotFoundError where it went meanwhile."""
        out = self.target / name
        with source.open("rb") as stream:
            status = os.fstat(stream.fileno())
            out.parent.mkdir(parents=True, exist_ok=True)
            known = self._copied.get((status.st_dev, status.st_ino))
            if known is not None and _linked(out, self.target / known.path):
                return StoredFile(path=name, n_bytes=known.n_bytes, sha256=known.sha256)
            digest, n_bytes = hashlib.sha256(), 0
            with out.open("xb") as copy:
                os.fchmod(copy.fileno(), stat.S_IMODE(status.st_mode))
                while chunk := stream.read(CHUNK_BYTES):
                    digest.update(chunk)
                    n_bytes += copy.write(chunk)
            os.utime(out, ns=(status.st_atime_ns, status.st_mtime_ns))
        stored = StoredFile(path=name, n_bytes=n_bytes, sha256=digest.hexdigest())
        if status.st_nlink > 1:
            self._copied[status.st_dev, status.st_ino] = stored
        return stored


def files_below(home: Path, names: Collection[str], *, without: Collection[str] = ()) -> Iterator[str]:
    """The files at these names below `home`, each relative to it, in a fixed order; folders are walked, but for those
    of `without`. What begins with a dot is somebody's draft.
    """
    for name in names:
        start = home / name
        if start.is_file():
            yield name
        for folder, folders, files in os.walk(start):
            at = Path(folder).relative_to(home)
            folders[:] = sorted(one for one in folders if one[0] != "." and (at / one).as_posix() not in without)
            yield from ((at / file).as_posix() for file in sorted(files) if file[0] != ".")


def _linked(out: Path, known: Path) -> bool:
    """Whether `out` could be made another name of `known`; not every disk knows such names."""
    try:
        out.hardlink_to(known)
    except OSError:
        return False
    return True
