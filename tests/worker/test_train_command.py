"""`manage.py train`: what it prints, how it ends, and that it needs neither broker nor worker."""

import json
import os
import signal
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from listening_tests.exceptions import Refused
from modeling.results import Progress, TrainingCancelled, TrainingRefused, TrainingResult
from tests.worker.studies import make_study, queued_run, result_of
from worker.models import RunStatus, TrainingRun
from worker.services import run_claim

pytestmark = pytest.mark.django_db(transaction=True)
KEYS = ["run", "status", "n_heldout", "n_train", "n_dropped", "base", "tuned", "difference"]
NOTHING = {"value": None, "low": None, "high": None, "n": 0}


@pytest.fixture
def training(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[..., TrainingResult]], None]:
    return lambda train: monkeypatch.setattr("worker.jobs.training.train", train)


def train(slug: str, *arguments: str) -> dict[str, Any]:
    out = StringIO()
    try:
        call_command("train", slug, "--json", *arguments, stdout=out)
    finally:
        train.printed = out.getvalue()  # type: ignore[attr-defined]
    report: dict[str, Any] = json.loads(out.getvalue())
    return report


def test_it_works(training: Any) -> None:
    test = make_study()
    training(lambda config, snapshot, out, **_: result_of(test, out))
    report = train(test.slug, "--wait", "--preset", "small")
    run = TrainingRun.objects.get()

    assert list(report) == KEYS
    assert (report["run"], report["status"]) == (str(run.uuid), "done")
    assert (report["n_heldout"], report["n_train"], report["n_dropped"]) == (30, 20, 1)
    for name in ("base", "tuned", "difference"):
        assert report[name] == {
            key: {"value": 0.5, "low": 0.4, "high": 0.6, "n": 30} for key in ("srcc", "lcc", "ktau", "mse")
        }
    assert (run.trigger, run.preset) == ("command", "small")


def test_without_wait_it_queues() -> None:
    test = make_study()
    report = train(test.slug)

    assert list(report) == KEYS
    assert report["status"] == "queued"
    assert report["tuned"]["srcc"] == NOTHING and report["n_heldout"] is None
    assert report["run"] == str(TrainingRun.objects.get(status=RunStatus.QUEUED).uuid)


def test_without_wait_it_finds_the_run_that_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    test = make_study()
    run = queued_run(test)

    assert train(test.slug)["run"] == str(run.uuid)
    assert f"Run {run.uuid} of this test is queued already; it keeps its own settings." in capsys.readouterr().err


def test_with_wait_it_takes_up_a_queued_run(training: Any) -> None:
    test = make_study()
    run = queued_run(test)
    training(lambda config, snapshot, out, **_: result_of(test, out))

    assert train(test.slug, "--wait")["run"] == str(run.uuid)


def test_with_wait_a_run_elsewhere_is_left_alone() -> None:
    test = make_study()
    run = run_claim(run_id=queued_run(test).pk, host="elsewhere:1")
    assert run is not None
    with pytest.raises(Refused, match=f"Run {run.uuid} of this test is running already. Wait for it to end or cancel"):
        train(test.slug, "--wait")
    assert TrainingRun.objects.get().status == RunStatus.RUNNING


def test_a_config_file_is_kept_with_the_run(tmp_path: Path) -> None:
    file = tmp_path / "quick.toml"
    file.write_text("epochs = 3\n")
    train(make_study().slug, "--preset", "small", "--config", str(file))
    run = TrainingRun.objects.get()

    assert (run.config["epochs"], run.config["model"]) == (3, "builtin")


def test_a_config_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "bad.json"
    file.write_text('{"epochs": 0, "colour": 1}')
    with pytest.raises(Refused) as refusal:
        train(make_study().slug, "--config", str(file))

    assert "'colour' is not a setting" in str(refusal.value)
    assert "epochs must be a whole number" in str(refusal.value)
    assert not TrainingRun.objects.exists()


def test_a_failed_run_ends_1_with_its_sentence(training: Any) -> None:
    def fail(*_: Any, **__: Any) -> TrainingResult:
        raise TrainingRefused("The loss is no longer a number.")

    training(fail)
    with pytest.raises(Refused, match="The loss is no longer a number."):
        train(make_study().slug, "--wait")
    assert json.loads(train.printed)["status"] == "failed"  # type: ignore[attr-defined]


def test_an_errored_run_ends_2_with_its_traceback(training: Any, capsys: pytest.CaptureFixture[str]) -> None:
    training(lambda *_, **__: 1 // 0)
    with pytest.raises(SystemExit) as end:
        train(make_study().slug, "--wait")

    assert end.value.code == 2
    assert json.loads(train.printed)["status"] == "errored"  # type: ignore[attr-defined]
    assert "ZeroDivisionError" in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_cancels_the_run(training: Any, number: int) -> None:
    def interrupted(config: Any, snapshot: Path, out: Path, **callbacks: Any) -> TrainingResult:
        os.kill(os.getpid(), number)
        assert callbacks["should_stop"]()
        raise TrainingCancelled

    training(interrupted)
    before = signal.getsignal(number)
    with pytest.raises(Refused, match="Cancelled."):
        train(make_study().slug, "--wait")

    assert TrainingRun.objects.get().status == RunStatus.CANCELLED
    assert signal.getsignal(number) is before


def test_without_a_terminal_it_tells_where_it_is(
    training: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    test = make_study()

    def told(config: Any, snapshot: Path, out: Path, **callbacks: Any) -> TrainingResult:
        callbacks["on_progress"](Progress("reading", 3, 1200))
        callbacks["on_progress"](Progress("training", 40, 1200, loss=0.25))
        return result_of(test, out)

    training(told)
    monkeypatch.setattr("listening_tests.management.progress.SECONDS_BETWEEN_LINES", 0.0)
    train(test.slug, "--wait")

    lines = capsys.readouterr().err.splitlines()
    assert lines[:2] == ["Training (reading): 3 of 1,200.", "Training (training, loss 0.250): 40 of 1,200."]


def test_too_little_data_is_refused() -> None:
    with pytest.raises(Refused, match="has 5 rated pairs that are held out"):
        train(make_study(n_heldout=5).slug, "--wait")
