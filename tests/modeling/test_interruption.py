"""A run that was ended goes on as if it had not been; processes train as one; a full disk; what TensorBoard reads."""

import json
import logging
import os
import resource
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from modeling import checkpoint
from modeling.checkpoint import LoopState
from modeling.config import PRESETS, override
from modeling.results import MeasuredPoint, Progress, TrainingCancelled
from modeling.training.logs import Logs, read_events
from modeling.training.team import Team
from tests.modeling.worlds import train

# 24 pairs are 3 steps of an epoch, 20 pairs 3 batches of its validation.
TWO_EPOCHS = override(PRESETS["small"], {"epochs": 2, "batch_size": 8, "chunk_size": 5})
SECOND_STEP_OF_SECOND_EPOCH = 3 + 3 + 2


@pytest.fixture(scope="module")
def whole(few: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run that nothing interrupts."""
    out = tmp_path_factory.mktemp("whole") / "out"
    train(TWO_EPOCHS, few, out)
    return out


def start(few: Path, out: Path, *words: object, **environment: object) -> subprocess.Popen[str]:
    settings = out.with_suffix(".json")
    settings.write_text(json.dumps(TWO_EPOCHS.as_dict()))
    command = [sys.executable, "-m", "tests.modeling.interrupted_run", *map(str, (settings, few, out, *words))]
    told = os.environ | {"OMP_NUM_THREADS": "1"} | {name: str(value) for name, value in environment.items()}
    return subprocess.Popen(command, env=told, stderr=subprocess.PIPE, text=True)  # noqa: S603 -- our own words


def weights(out: Path) -> dict[str, torch.Tensor]:
    return load_file(out / "model/model.safetensors")


def steps(logs: Path, tag: str) -> list[int]:
    events = [event for path in sorted(logs.iterdir()) for _, event in read_events(path)]
    return sorted(event.step for event in events for value in event.summary.value if value.tag == tag)


def test_killed_inside_an_epoch_a_run_goes_on_to_the_same_bits(few: Path, whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    process = start(few, out, SECOND_STEP_OF_SECOND_EPOCH)
    _, told = process.communicate(timeout=120)
    assert process.returncode == -signal.SIGKILL, told
    (place,) = (out / "checkpoint").iterdir()
    state = json.loads((place / "state.json").read_text())
    assert (state["epoch"], state["step"], len(state["step_losses"])) == (1, 1, 1)
    assert not (out / "model").exists()
    train(TWO_EPOCHS, few, out)
    ours, theirs = weights(out), weights(whole)
    assert all(ours[name].equal(theirs[name]) for name in theirs)
    reports = [json.loads((place / "report.json").read_text()) for place in (out, whole)]
    assert reports[0]["tuned"] == reports[1]["tuned"]
    assert not (out / "checkpoint").exists()
    assert steps(out / "logs", "loss/sum") == steps(whole / "logs", "loss/sum") == [1, 2, 3, 4, 5, 6]
    assert steps(out / "logs", "validation/agreement") == [0, 3, 6]


@pytest.mark.parametrize(
    ("told_before", "epoch", "step"),
    [(1, 0, 2), (SECOND_STEP_OF_SECOND_EPOCH - 1, 1, 2), (3 + 3 + 3 + 1, 1, 3)],
    ids=["first epoch", "second epoch", "validation of the second epoch"],
)
def test_cancelled_a_run_stops_within_a_step_and_goes_on_to_the_same_bits(
    few: Path, whole: Path, tmp_path: Path, told_before: int, epoch: int, step: int
) -> None:
    out = tmp_path / "out"
    told: list[Progress] = []
    measured: list[MeasuredPoint] = []

    def count(progress: Progress) -> None:
        if progress.loss is not None:
            told.append(progress)

    with pytest.raises(TrainingCancelled):
        train(
            TWO_EPOCHS,
            few,
            out,
            on_progress=count,
            on_point=measured.append,
            should_stop=lambda: len(told) >= told_before,
        )
    assert len(told) == told_before
    (place,) = (out / "checkpoint").iterdir()
    state = json.loads((place / "state.json").read_text())
    assert (state["epoch"], state["step"]) == (epoch, step)
    assert [point.step for point in measured if point.loss is not None][-1] == epoch * 3 + step
    assert not (out / "model").exists()

    train(TWO_EPOCHS, few, out, on_point=measured.append)

    ours, theirs = weights(out), weights(whole)
    assert all(ours[name].equal(theirs[name]) for name in theirs)
    assert steps(out / "logs", "loss/sum") == [1, 2, 3, 4, 5, 6]
    # After each epoch its last step is told once more, with the validation.
    assert [point.step for point in measured] == [0, 1, 2, 3, 3, 4, 5, 6, 6]
    assert [point.step for point in measured if point.validation is not None] == [0, 3, 6]
    assert [point.epoch for point in measured if point.validation is not None] == [0, 1, 2]
    assert {(point.total_steps, point.epochs) for point in measured} == {(6, 2)}


def test_two_processes_train_as_one(few: Path, whole: Path, tmp_path: Path) -> None:
    """As `accelerate launch` starts them: the first alone writes, and the weights are those of one process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    outs = [tmp_path / "first", tmp_path / "second"]
    processes = [
        start(few, out, WORLD_SIZE=2, RANK=rank, LOCAL_RANK=rank, MASTER_ADDR="127.0.0.1", MASTER_PORT=port)
        for rank, out in enumerate(outs)
    ]
    told = [process.communicate(timeout=120)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], told
    ours, theirs = weights(outs[0]), weights(whole)
    # The bias of a key moves no attention: its gradient is rounding alone, and Adam steps as far on that as on any.
    compared = [name for name, value in theirs.items() if value.is_floating_point() and "key.bias" not in name]
    assert all((ours[name] - theirs[name]).abs().max() < 1e-5 for name in compared)
    assert not outs[1].exists()
    assert steps(outs[0] / "logs", "loss/sum") == [1, 2, 3, 4, 5, 6]


def test_shares_cover_a_batch_once() -> None:
    for n in (0, 1, 7, 32):
        parts = [list(range(n))[Team(3, rank).share(n)] for rank in range(3)]
        assert sum(parts, []) == list(range(n))
        assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_the_log_has_losses_terms_rates_and_validation(whole: Path) -> None:
    (path,) = (whole / "logs").iterdir()
    last = {}
    for _, event in read_events(path):
        last |= {value.tag: (event.step, value.simple_value) for value in event.summary.value}
    assert set(last) == {"loss/sum", "loss/mae", "loss/wsce", "rate/rate", "rate/tower_rate", "validation/agreement"}
    weighted = TWO_EPOCHS.losses["mae"] * last["loss/mae"][1] + TWO_EPOCHS.losses["wsce"] * last["loss/wsce"][1]
    assert last["loss/sum"] == (6, pytest.approx(weighted, rel=1e-5))


def test_a_log_goes_on_without_a_step_twice_even_after_a_cut_record(tmp_path: Path) -> None:
    first = Logs(tmp_path, 0)
    for step in range(1, 6):
        first.write(step, {"loss": step})
    first.close()
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:-3])
    second = Logs(tmp_path, 4)
    second.write(4, {"loss": 4})
    second.close()
    assert steps(tmp_path, "loss") == [1, 2, 3, 4]


def test_a_full_disk_leaves_the_older_checkpoint_and_a_sentence(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A limit on the size of files stands for the disk."""
    small, large = {"w": torch.zeros(10)}, {"w": torch.zeros(2_000_000)}
    optimiser = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(10))])
    assert checkpoint.save(tmp_path, LoopState("a run", epoch=1), small, small, optimiser)
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, limit[1]))
    try:
        with caplog.at_level(logging.WARNING):
            assert not checkpoint.save(tmp_path, LoopState("a run", epoch=2), large, small, optimiser)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    (message,) = caplog.messages
    assert message.startswith(f"The checkpoint {tmp_path}/epoch-00002-step-000000 cannot be written: ")
    assert message.endswith("Training goes on; free some space.")
    assert [path.name for path in tmp_path.iterdir()] == ["epoch-00001-step-000000"]
    found = checkpoint.restore(tmp_path, "a run", small, optimiser)
    assert found is not None
    assert found[0].epoch == 1
