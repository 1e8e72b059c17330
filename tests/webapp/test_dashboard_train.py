"""The page that starts a run with settings: a preset, a question, a few knobs; all mistakes told at once, by field."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from listening_tests.choices import AuditedAction, Role
from listening_tests.models import AuditEntry
from modeling.config import PRESET_WORDS, PRESETS
from tests.factories import make_test
from tests.webapp.factories import make_member, make_run, make_trainable_test
from webapp.dashboard.pages_of_training import OWN_SETTINGS
from worker.configuration import LOSSES
from worker.models import RunStatus, RunTrigger, TrainingPlan, TrainingRun

pytestmark = pytest.mark.django_db


def train_url(slug: str) -> str:
    return reverse("dashboard:train", args=[slug])


def test_it_works(staff: Client, researcher: User) -> None:
    test = make_trainable_test()
    knobs = {"epochs": "3", "seed": "7", "policy": "lora", "losses": "mse-mae", "learning_rate": "0.002"}

    response = staff.post(train_url(test.slug), {"preset": "small", "question": "relevance", **knobs})

    run = TrainingRun.objects.get()
    assert (response.status_code, response.url) == (303, f"/dashboard/runs/{run.uuid}/")
    assert (run.status, run.trigger, run.requested_by) == (RunStatus.QUEUED, RunTrigger.PERSON, researcher)
    assert (run.preset, run.question, run.seed) == ("small", "relevance", 7)
    changed = {name: value for name, value in run.config.items() if value != PRESETS["small"].as_dict()[name]}
    assert changed == {
        **{"epochs": 3, "seed": 7, "policy": "lora", "learning_rate": 0.002, "question": "relevance"},
        "losses": {"mse": 1.0, "mae": 1.0},
    }
    (entry,) = AuditEntry.objects.filter(test=test, action=AuditedAction.TRAINED)
    assert entry.detail == f"Run {run.uuid}, relevance"


def test_the_form_offers_every_preset_with_a_sentence_and_starts_from_the_plan(staff: Client) -> None:
    test = make_trainable_test()
    TrainingPlan.objects.create(test=test, preset="svr")

    text = staff.get(train_url(test.slug)).text

    assert set(PRESET_WORDS) == set(PRESETS)
    for name in PRESETS:
        assert f'value="{name}"' in text
    assert 'value="svr" checked' in text
    assert "in minutes on a CPU: to try things out, not to publish." in text
    for name in LOSSES:
        assert f'<option value="{name}">' in text


def test_all_mistakes_are_told_at_once_by_field(staff: Client) -> None:
    test = make_trainable_test()
    knobs = {"epochs": "0", "seed": "-1", "batch_size": "one", "learning_rate": "2"}

    response = staff.post(train_url(test.slug), {"preset": "small", "question": "relevance", **knobs})

    assert response.status_code == 422
    assert dict(response.context["form"].errors) == {
        "epochs": ["epochs must be a whole number from 1 to 1000, not 0."],
        "seed": ["seed must be a whole number from 0 to 2147483647, not -1."],
        "batch_size": ["Enter a whole number."],
        "learning_rate": ["learning_rate must be a number from 0 to 1, not 2.0."],
    }
    for name, value in knobs.items():
        assert f'name="{name}" value="{value}"' in response.text
    assert not TrainingRun.objects.exists()


@pytest.mark.parametrize(("name", "value"), [("preset", "big"), ("question", "loudness"), ("policy", "none")])
def test_what_is_not_offered_is_refused(staff: Client, name: str, value: str) -> None:
    test = make_trainable_test()
    asked = {"preset": "small", "question": "relevance", name: value}

    response = staff.post(train_url(test.slug), asked)

    assert response.status_code == 422
    assert list(response.context["form"].errors) == [name]
    assert not TrainingRun.objects.exists()


def test_too_little_data_is_said_on_the_form(staff: Client) -> None:
    test = make_test(title="Sounds of rain")

    response = staff.post(train_url(test.slug), {"preset": "small", "question": "relevance"})

    assert response.status_code == 422
    assert "“Sounds of rain” has no ratings of study pairs yet." in response.text
    assert not TrainingRun.objects.exists()


def test_a_run_on_its_way_keeps_its_settings(staff: Client) -> None:
    test = make_trainable_test()
    run = make_run(test, RunStatus.QUEUED, config={"epochs": 10})
    assert "A run of this test is on its way already" in staff.get(train_url(test.slug)).text

    asked = {"preset": "small", "question": "relevance", "epochs": "3"}
    response = staff.post(train_url(test.slug), asked, follow=True)

    assert response.redirect_chain == [(f"/dashboard/runs/{run.uuid}/", 303)]
    assert OWN_SETTINGS in response.text
    assert TrainingRun.objects.get().config == {"epochs": 10}
    assert not AuditEntry.objects.filter(action=AuditedAction.TRAINED).exists()


def test_who_may_not_train_does_not_see_it(client: Client) -> None:
    test = make_trainable_test()
    client.force_login(make_member(test, Role.ASSISTANT))

    assert client.get(train_url(test.slug)).status_code == 403
    assert client.post(train_url(test.slug), {"preset": "small", "question": "relevance"}).status_code == 403
    assert not TrainingRun.objects.exists()
