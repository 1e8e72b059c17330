"""A disk that is full while checkpoints are written: training goes on, the older checkpoint stays whole, and what comes
out is what comes out of an undisturbed run, to the byte. 20 checkpoints cannot be written.

A real file system without room, where this account may mount one in a space of its own (`unshare`); elsewhere a limit
on the size of files, which fails the same writes.
"""

import contextlib
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

TIMES = 20
DISK_MB = 64
CAPTIONS = 220
SALT = "salt"
SAMPLE_RATE_HZ = 48_000
IN_OWN_SPACE = "--in-own-space"


class Disk:
    """One that can be filled up and freed again. `folder` lies on it."""

    def __init__(self, folder: Path, *, is_mounted: bool) -> None:
        self.folder, self.is_mounted = folder, is_mounted

    def fill(self) -> None:
        if not self.is_mounted:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (1024, resource.RLIM_INFINITY))
            return
        with contextlib.suppress(OSError), (self.folder / "filler").open("wb", buffering=0) as filler:
            while True:
                filler.write(bytes(1 << 16))

    def free(self) -> None:
        if not self.is_mounted:
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        (self.folder / "filler").unlink(missing_ok=True)


@contextlib.contextmanager
def small_disk() -> Iterator[Disk]:
    with tempfile.TemporaryDirectory(prefix="emd-") as folder:
        is_mounted = IN_OWN_SPACE in sys.argv
        if is_mounted:
            command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "none", folder]
            subprocess.run(command, check=True)  # noqa: S603 -- our own words
        try:
            yield Disk(Path(folder), is_mounted=is_mounted)
        finally:
            if is_mounted:
                subprocess.run(["umount", folder], check=True)  # noqa: S603, S607 -- as above


def write_world(folder: Path) -> Path:
    """A snapshot of many captions on a few sounds of noise, each split with sounds of its own: so none is dropped."""
    import hashlib
    from datetime import UTC, datetime

    import numpy
    import soundfile

    from modeling import splits
    from modeling.rows import RatingRow
    from modeling.snapshot import write_snapshot

    audio: dict[str, Path] = {}
    sounds: dict[str, list[str]] = {split: [] for split in (splits.TRAIN, splits.VALIDATION, splits.HELDOUT)}
    noise = numpy.random.default_rng(1)
    for number, split in enumerate([*sounds, *sounds]):
        path = folder / f"{number}.wav"
        soundfile.write(path, noise.uniform(-0.5, 0.5, SAMPLE_RATE_HZ // 4), SAMPLE_RATE_HZ)
        sounds[split].append(hashlib.sha256(path.read_bytes()).hexdigest())
        audio[sounds[split][-1]] = path
    ratings = [
        RatingRow(
            rating=f"rating-{number}",
            rater="rater",
            pair=f"pair-{number:05d}",
            clip_sha256=sounds[splits.caption_split(f"Sound {number}", SALT)][number % 2],
            caption=f"Sound {number}",
            source_id=None,
            system=None,
            role="study",
            question="relevance",
            score=number % 11,
            scale_min=0,
            scale_max=10,
        )
        for number in range(CAPTIONS)
    ]
    write_snapshot(
        folder / "snapshot",
        test="full-disk",
        ratings=ratings,
        audio=audio,
        scale_min=0,
        scale_max=10,
        salt=SALT,
        created=datetime(2026, 1, 1, tzinfo=UTC),
    )
    return folder / "snapshot"


class Training:
    """A run whose disk is full from its second epoch until so many checkpoints could not be written."""

    def __init__(self, disk: Disk, times: int) -> None:
        from modeling import checkpoint

        self.disk, self.times = disk, times
        self.n_failed = 0
        self.is_full = False
        self.broken: list[str] = []
        self._save = checkpoint.save

    def save(self, folder: Path, *arguments: object) -> bool:
        state = arguments[0]
        if not self.is_full and self.n_failed < self.times and list(folder.glob("epoch-*")):
            self.disk.fill()
            self.is_full = True
        before = _bytes_of(folder)
        saved: bool = self._save(folder, *arguments)  # type: ignore[arg-type]
        if self.is_full:
            self.n_failed += not saved
            if saved:
                self.broken.append(f"A checkpoint was written to a full disk: {state}")
            if _bytes_of(folder) != before:
                self.broken.append("The older checkpoint was touched.")
            if self.n_failed == self.times:
                self.disk.free()
                self.is_full = False
        return saved


def _bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def fill_while_training(times: int) -> list[str]:
    """What does not hold of a training whose disk is full while `times` checkpoints are written."""
    from unittest.mock import patch

    from modeling import training
    from modeling.config import BUILTIN, TrainingConfig

    with tempfile.TemporaryDirectory(prefix="emw-") as folder, small_disk() as disk:
        snapshot = write_world(Path(folder))
        config = TrainingConfig(model=BUILTIN, epochs=times + 2, patience=1000, cpu_threads=1)
        disturbed = Training(disk, times)
        with patch("modeling.checkpoint.save", disturbed.save):
            training.train(config, snapshot, disk.folder / "disturbed")
        training.train(config, snapshot, Path(folder) / "undisturbed")
        weights = "model/model.safetensors"
        same = (disk.folder / "disturbed" / weights).read_bytes() == (
            Path(folder) / "undisturbed" / weights
        ).read_bytes()
        broken = disturbed.broken
        if disturbed.n_failed != times:
            broken.append(f"{disturbed.n_failed} checkpoints could not be written, not {times}.")
        if not same:
            broken.append("The weights are others than those of an undisturbed run.")
        kind = "a full file system" if disk.is_mounted else "a limit on the size of files"
        sys.stdout.write(
            f"{disturbed.n_failed} checkpoints that could not be written for {kind}; broken promises: {len(broken)}\n"
        )
        return broken


def main(arguments: list[str]) -> int:
    times = next((int(word) for word in arguments if word.isdigit()), TIMES)
    if IN_OWN_SPACE not in arguments and may_mount():
        space = ["unshare", "--user", "--map-root-user", "--mount"]
        command = [*space, sys.executable, "-m", "benchmarks.full_disk", str(times), IN_OWN_SPACE]
        return subprocess.run(command, check=False).returncode  # noqa: S603 -- our own words
    broken = fill_while_training(times)
    for what in broken:
        sys.stdout.write(f"  {what}\n")
    return 1 if broken else 0


def may_mount() -> bool:
    if shutil.which("unshare") is None:
        return False
    with tempfile.TemporaryDirectory(prefix="emd-") as folder:
        command = ["unshare", "--user", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "none", folder]
        return subprocess.run(command, check=False, stderr=subprocess.DEVNULL).returncode == 0  # noqa: S603 -- as above


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
