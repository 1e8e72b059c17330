"""How far a command is: a bar on a terminal's standard error; in a log, one line a stage."""

from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from modeling.results import Progress as TrainingProgress


class StageDisplay:
    """One bar a stage, in the order in which they are first shown."""

    def __init__(self) -> None:
        self.console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
        self.bars = Progress(*columns, console=self.console, disable=not self.console.is_terminal)
        self.stage = ""
        self.task = self.bars.add_task("Starting", total=None)

    def __enter__(self) -> Self:
        self.bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bars.stop()

    def show(self, stage: str, done: int, total: int, detail: str = "") -> None:
        if stage != self.stage and not self.console.is_terminal:
            self.console.print(f"{stage} ({done} of {total})", highlight=False)
        self.stage = stage
        self.bars.update(self.task, description=f"{stage}{detail}", completed=done, total=total)


class TrainingDisplay(StageDisplay):
    """The one bar of a training run, with the last batch's loss."""

    def show_training(self, progress: "TrainingProgress") -> None:
        detail = "" if progress.loss is None else f", loss {progress.loss:.3f}"
        self.show(progress.phase.capitalize(), progress.step, progress.total_steps, detail)
