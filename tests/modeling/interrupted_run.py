"""A training run in a process of its own, for tests that end it or start several of it.

`python -m tests.modeling.interrupted_run CONFIG.json SNAPSHOT OUT [END]`: with END, writes a checkpoint at every step
and SIGKILLs itself when END batches of training or validation were told.
"""

import json
import os
import signal
import sys
from pathlib import Path

from modeling.config import TrainingConfig
from modeling.results import Progress
from tests.modeling.worlds import train


def main(config: str, snapshot: str, out: str, end: str = "") -> None:
    told = 0

    def count(progress: Progress) -> None:
        nonlocal told
        told += progress.loss is not None
        if str(told) == end:
            os.kill(os.getpid(), signal.SIGKILL)

    settings = TrainingConfig(**json.loads(Path(config).read_text()))
    train(settings, Path(snapshot), Path(out), on_progress=count, save_every_s=0 if end else 240)


if __name__ == "__main__":
    main(*sys.argv[1:])
