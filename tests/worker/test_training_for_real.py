"""The whole loop with nothing put in its place: ratings, snapshot, the built-in model, numbers."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command

from tests.worker.studies import make_study
from worker.challenges import challenge_computed
from worker.models import TrainingRun

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_works(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    test = make_study()
    config = tmp_path / "quick.toml"
    config.write_text("epochs = 1\n")
    out = StringIO()
    call_command("train", test.slug, "--wait", "--json", "--preset", "small", "--config", str(config), stdout=out)
    report = json.loads(out.getvalue())
    told = capsys.readouterr()
    assert "model shards" not in told.out + told.err  # transformers' own bar
    run = TrainingRun.objects.get()

    assert (report["status"], report["n_heldout"]) == ("done", 30)
    assert report["n_train"] + run.n_validation + report["n_dropped"] == 24
    for name in ("base", "tuned", "difference"):
        assert report[name]["srcc"]["n"] == 30
    difference = report["tuned"]["srcc"]["value"] - report["base"]["srcc"]["value"]
    assert report["difference"]["srcc"]["value"] == pytest.approx(difference)
    # The page of models says of the same comparison what the report says.
    challenge = challenge_computed(version=run.model_version, champion=None)
    said = [report["difference"]["srcc"][name] for name in ("value", "low", "high")]
    assert [challenge.difference, challenge.low, challenge.high] == pytest.approx(said, abs=1e-12)
    assert run.predictions.count() == 30
    assert run.base_model
    assert {path.name for path in (Path(settings.MEDIA_ROOT) / run.model_version.directory).iterdir()} >= {
        "model.safetensors",
        "config.json",
    }
