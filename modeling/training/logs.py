"""What a run did, step by step, for TensorBoard: losses, rates, and the agreement on the validation pairs."""

from __future__ import annotations

import logging
import struct
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from tensorboardX.event_file_writer import EventsWriter
from tensorboardX.proto.event_pb2 import Event
from tensorboardX.summary import scalar

log = logging.getLogger(__name__)

# A record of an event file (TFRecord): length in 8 bytes, 4 of its checksum, the event, 4 of the event's checksum.
LENGTH_BYTES, CHECKSUM_BYTES = 8, 4


class Logs:
    """Event files in a directory. A run that goes on continues them: each step is there once, and none is missing.

    `SummaryWriter` hands events to another thread, and what a killed process had not handed over is lost; here they are
    on the disk when `flush` returns. Where they cannot be written a warning says so, and the run goes on without.
    """

    def __init__(self, folder: Path | None, first_step: int) -> None:
        """What earlier files say of `first_step` and later is taken out. None for a folder writes nothing."""
        self._writer: EventsWriter | None = None
        if folder is None:
            return
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for path in sorted(folder.glob("events.*")):
                _cut(path, first_step)
            self._writer = EventsWriter(str(folder / "events"), filename_suffix=f".{first_step}")
        except OSError as error:
            self._give_up(error)

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Values of one step, by tag."""
        if self._writer is None or not values:
            return
        event = Event(step=step, wall_time=time.time())
        for tag, value in values.items():
            event.summary.value.extend(scalar(tag, value).value)
        try:
            self._writer.write_event(event)
        except OSError as error:
            self._give_up(error)

    def flush(self) -> None:
        """Wait until what was written is on the disk, before a checkpoint says that its steps are done."""
        try:
            if self._writer is not None:
                self._writer.flush()
        except OSError as error:
            self._give_up(error)

    def close(self) -> None:
        self.flush()
        if self._writer is not None:
            self._writer.close()

    def _give_up(self, error: OSError) -> None:
        self._writer = None
        log.warning("The logs for TensorBoard cannot be written: %s. Training goes on without them.", error)


def read_events(path: Path) -> Iterator[tuple[int, Event]]:
    """The events of a file, each with the place where its record ends; one that was cut short ends them."""
    content, end = path.read_bytes(), 0
    while end + LENGTH_BYTES <= len(content):
        start = end + LENGTH_BYTES + CHECKSUM_BYTES
        length = struct.unpack_from("<Q", content, end)[0]
        end = start + length + CHECKSUM_BYTES
        if end > len(content):
            return
        yield end, Event.FromString(content[start : start + length])


def _cut(path: Path, first_step: int) -> None:
    """End an event file before the first value of `first_step` or later."""
    kept = 0
    for end, event in read_events(path):
        if event.HasField("summary") and event.step >= first_step:
            break
        kept = end
    with path.open("r+b") as file:
        file.truncate(kept)
