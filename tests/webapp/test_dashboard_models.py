"""The registry's page: what is in use, promoting by hand, rolling back, and who may."""

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from listening_tests.choices import AuditedAction, Role
from listening_tests.models import AuditEntry, ListeningTest
from tests.factories import make_test
from tests.webapp.factories import make_done_run, make_member, make_staff
from tests.worker.studies import make_study, more_held_out
from worker.models import Challenge, DatasetSnapshot, HeldoutSet, ModelVersion, TrainingRun, Verdict
from worker.registry import champion_of, model_promote
from worker.snapshots import snapshot_create


def models_url(test: ListeningTest) -> str:
    return reverse("dashboard:models_page", args=[test.slug])


def version_of(run: TrainingRun) -> ModelVersion:
    return ModelVersion.objects.get(run=run)


@pytest.mark.django_db
def test_it_works(staff: Client) -> None:
    test = make_test()
    first, second = version_of(make_done_run(test)), version_of(make_done_run(test))
    model_promote(version=first, user=make_staff("founder"), reason="The first.")
    Challenge.objects.create(
        challenger=second, champion=first, n_pairs=168, champion_srcc=0.6, challenger_srcc=0.62, difference=0.02,
        low=-0.03, high=0.07, verdict=Verdict.NOT_BETTER,
    )  # fmt: skip

    response = staff.get(models_url(test))

    assert [line.is_champion for line in response.context["lines"]] == [False, True]
    assert "The first." in response.text
    assert "Against model c3c3c3c3c3c3, 168 held-out pairs: not clearly better or worse: +0.02" in response.text


@pytest.mark.django_db
def test_without_models_the_page_says_so(staff: Client) -> None:
    text = staff.get(models_url(make_test())).text

    assert "No tuned model is in use: the untuned one stands." in text
    assert "There is no model yet" in text


@pytest.mark.django_db
def test_promoting_and_going_back_leave_a_trace(staff: Client) -> None:
    test = make_test()
    first, second = version_of(make_done_run(test)), version_of(make_done_run(test))
    ask = [reverse("dashboard:model_promote", args=[test.slug, version.uuid]) for version in (first, second)]

    refused = staff.post(ask[0], {"reason": ""}, follow=True)
    assert "Write down why this model is to be in use" in refused.text
    for n_before, url in enumerate(ask):
        assert staff.post(url, {"reason": "Better to the ear."}).status_code == 303
        assert ("Roll back to model" in staff.get(models_url(test)).text) == bool(n_before)
    assert champion_of(test=test, question="") == second
    staff.post(reverse("dashboard:model_roll_back", args=[test.slug, second.uuid]))
    again = staff.post(reverse("dashboard:model_roll_back", args=[test.slug, second.uuid]), follow=True)
    assert "is not in use any more" in again.text

    assert champion_of(test=test, question="") == first
    assert AuditEntry.objects.filter(test=test, action=AuditedAction.PROMOTED).count() == 3


@pytest.mark.django_db
def test_the_way_back_to_the_untuned_model_and_from_there(staff: Client) -> None:
    test = make_test()
    version = version_of(make_done_run(test))
    model_promote(version=version, user=make_staff("founder"), reason="The first.")
    assert "Roll back to the untuned model" in staff.get(models_url(test)).text

    staff.post(reverse("dashboard:model_roll_back", args=[test.slug, version.uuid]))
    text = staff.get(models_url(test)).text
    assert "<strong>The untuned model</strong>" in text and "Roll back to" not in text
    by_hand = reverse("dashboard:untuned_promote", args=[test.slug])
    assert "is in use already" in staff.post(by_hand, {"question": "", "reason": "So."}, follow=True).text

    model_promote(version=version, user=make_staff("second"), reason="Again.")
    assert "Write down why" in staff.post(by_hand, {"question": "", "reason": ""}, follow=True).text
    assert champion_of(test=test, question="") == version
    staff.post(by_hand, {"question": "", "reason": "Safer."})
    assert "Safer." in staff.get(models_url(test)).text
    back = reverse("dashboard:untuned_roll_back", args=[test.slug])
    staff.post(back, {"question": ""})
    assert champion_of(test=test, question="") == version
    assert "is not in use any more" in staff.post(back, {"question": ""}, follow=True).text


@pytest.mark.django_db
def test_held_out_pairs_are_frozen_anew_with_a_reason(staff: Client) -> None:
    test = make_study(n_heldout=3, n_train=2)
    snapshot_create(test=test)
    DatasetSnapshot.objects.update(n_waiting=2)
    text = staff.get(models_url(test)).text
    assert "<strong>version 1</strong>: 3 pairs of 3 captions" in text
    assert "2 more pairs wait for the next version" in text
    assert "3 held-out pairs are few: only on 100 or more does a model take the place" in text
    url = reverse("dashboard:heldout_freeze", args=[test.slug])

    told = staff.post(url, {"question": "relevance", "reason": "For the paper."}, follow=True).text
    assert "No held-out pair with answers waits for a new version." in told
    more_held_out(test, 2)
    told = staff.post(url, {"question": "relevance", "reason": "For the paper."}, follow=True).text

    assert "Version 2 of the held-out pairs has 5. The next run uses it." in told
    assert HeldoutSet.objects.get(version=2).reason == "For the paper."


@pytest.mark.django_db
def test_a_model_is_marked_as_cited(staff: Client) -> None:
    test = make_test()
    version = version_of(make_done_run(test))
    url = reverse("dashboard:model_cite", args=[test.slug, version.uuid])

    staff.post(url, {"is_cited": "yes"})
    assert "No longer cited" in staff.get(models_url(test)).text
    staff.post(url, {"is_cited": "no"})
    assert TrainingRun.objects.get().is_cited is False


@pytest.mark.django_db
def test_who_may_not_train_may_look_alone(client: Client) -> None:
    test = make_test()
    version = version_of(make_done_run(test))
    client.force_login(make_member(test, Role.ASSISTANT))

    text = client.get(models_url(test)).text

    assert "Put in use" not in text
    for name in ("untuned_promote", "untuned_roll_back", "heldout_freeze"):
        assert client.post(reverse(f"dashboard:{name}", args=[test.slug])).status_code == 403
    for name in ("model_promote", "model_roll_back", "model_cite"):
        assert client.post(reverse(f"dashboard:{name}", args=[test.slug, version.uuid])).status_code == 403
    client.force_login(make_member(make_test(), username="stranger"))
    assert client.get(models_url(test)).status_code == 404


@pytest.mark.django_db
def test_the_number_of_models_does_not_change_the_number_of_queries(
    staff: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    test = make_test()
    for n_models in (1, 3):
        for _ in range(n_models):
            model_promote(
                version=version_of(make_done_run(test)),
                user=make_staff(f"s{ModelVersion.objects.count()}"),
                reason="So.",
            )
        # Session and user; the test; what is in use, and before it; models; held-out pairs; promotions.
        with django_assert_num_queries(9):
            staff.get(models_url(test))
