"""Progress of a long command on stderr: a bar at a terminal, else a plain line every few seconds."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

SECONDS_BETWEEN_LINES = 5.0


class Tell(Protocol):
    """Is told the stage, how many are done, how many there are, and what else changes on the way."""

    def __call__(self, stage: str, done: int, total: int, detail: str = "") -> None: ...


@contextmanager
def shown_progress(console: Console | None = None) -> Iterator[Tell]:
    console = console or Console(stderr=True)
    if not console.is_terminal:
        yield _plain_lines(console)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as bar:
        tasks: dict[str, TaskID] = {}

        def tell(stage: str, done: int, total: int, detail: str = "") -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(stage, total=total)
            bar.update(tasks[stage], description=stage + detail, completed=done)

        yield tell


def _plain_lines(console: Console) -> Tell:
    last = time.monotonic()

    def tell(stage: str, done: int, total: int, detail: str = "") -> None:
        nonlocal last
        if time.monotonic() - last >= SECONDS_BETWEEN_LINES:
            last = time.monotonic()
            console.print(f"{stage}{detail}: {done:,} of {total:,}.", highlight=False, soft_wrap=True)

    return tell
