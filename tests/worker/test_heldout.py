"""Held-out pairs in versions: frozen as ratings grow, made anew when due or by hand, counted when looked at."""

import dataclasses
import json
from collections.abc import Iterable
from pathlib import Path

import pytest
from django.conf import settings
from pytest_django import DjangoCaptureOnCommitCallbacks

from listening_tests.choices import AuditedAction
from listening_tests.exceptions import Refused
from listening_tests.models import AuditEntry, Exclusion, ListeningTest, Pair, Question
from modeling.snapshot import read_snapshot
from tests.factories import make_test
from tests.webapp.factories import make_done_run, make_staff
from tests.worker.studies import make_study, more_held_out, queued_run, result_of
from worker import heldout
from worker.heldout import heldout_freeze, heldout_look, heldout_set_of
from worker.heldout_notes import heldout_notes_of_run, heldout_notes_of_test
from worker.jobs import run_execute
from worker.models import DatasetSnapshot, HeldoutSet, LookKind, Metric, RunStatus
from worker.snapshots import snapshot_create

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def large_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """So few pairs as these stand for a hundred."""
    monkeypatch.setattr(heldout, "LEAST_PAIRS", 4)


def the_question(test: ListeningTest) -> Question:
    return test.questions.get()


def split_of(snapshot: DatasetSnapshot, pairs: Iterable[Pair]) -> set[str | None]:
    names = {str(pair.uuid) for pair in pairs}
    found = read_snapshot(Path(settings.MEDIA_ROOT) / snapshot.directory)
    return {row.split for row in found.ratings if row.pair in names}


def test_it_works() -> None:
    test = make_study(n_heldout=6, n_train=4)
    first = snapshot_create(test=test)
    version = heldout_set_of(test=test, question="relevance")
    assert version and first.heldout_set == version
    assert (version.version, version.n_pairs, version.n_captions, version.members.count()) == (1, 6, 6, 6)
    assert (version.salt, version.reason) == (str(test.uuid), "The first snapshot.")
    manifest = json.loads((Path(settings.MEDIA_ROOT) / first.directory / "manifest.json").read_text())
    assert manifest["heldout"] == {"version": 1, "sha256": version.sha256, "n_pairs": 6}

    came = more_held_out(test, 2)
    second = snapshot_create(test=test)

    assert (second.heldout_set, second.n_waiting, HeldoutSet.objects.count()) == (version, 2, 1)
    assert split_of(second, came) == {"waiting"}
    assert split_of(second, version.pairs.all()) == {"heldout"}


def test_half_as_many_that_wait_make_a_version() -> None:
    test = make_study(n_heldout=6, n_train=4)
    first = snapshot_create(test=test).heldout_set
    came = more_held_out(test, 3)

    snapshot = snapshot_create(test=test)

    assert snapshot.heldout_set and first
    assert (snapshot.heldout_set.version, snapshot.heldout_set.n_pairs, snapshot.n_waiting) == (2, 9, 0)
    assert snapshot.heldout_set.reason == "3 more held-out pairs had answers, beside 6."
    assert split_of(snapshot, came) == {"heldout"}
    assert first.members.count() == 6, "an old version stays what it was"


def test_too_few_pairs_grow_with_every_snapshot() -> None:
    test = make_study(n_heldout=3, n_train=4)
    snapshot_create(test=test)
    more_held_out(test, 1)
    assert snapshot_create(test=test).heldout_set.n_pairs == 4
    more_held_out(test, 1)
    assert snapshot_create(test=test).heldout_set.n_pairs == 4


def test_a_pair_whose_answers_are_excluded_stays_in_the_version() -> None:
    test = make_study(n_heldout=6, n_train=4)
    version = snapshot_create(test=test).heldout_set
    assert version
    pair = version.pairs.first()
    Exclusion.objects.bulk_create([Exclusion(rating=row, rule="by-hand", reason="So.") for row in pair.ratings.all()])
    more_held_out(test, 3)

    later = snapshot_create(test=test).heldout_set

    assert later and later.n_pairs == 9 and later.pairs.filter(pk=pair.pk).exists()


def test_by_hand_with_a_reason() -> None:
    test, user = make_study(n_heldout=6, n_train=4), make_staff()
    snapshot_create(test=test)
    asked = {"test": test, "question": the_question(test), "user": user}
    nothing = r"^No held-out pair with answers waits for a new version\. Collect ratings for more captions\.$"
    with pytest.raises(Refused, match=nothing):
        heldout_freeze(**asked, reason="So.")
    more_held_out(test, 1)
    with pytest.raises(Refused, match=r"^Write down why the held-out pairs are frozen anew: figures of before"):
        heldout_freeze(**asked, reason=" ")
    assert HeldoutSet.objects.count() == 1

    made = heldout_freeze(**asked, reason="For the paper.")

    assert (made.version, made.n_pairs, made.created_by) == (2, 7, user)
    with pytest.raises(Refused, match=nothing):
        heldout_freeze(**asked, reason="For the paper.")
    entry = AuditEntry.objects.get(test=test, action=AuditedAction.CHANGED)
    assert entry.detail == "Held-out pairs of “relevance”, version 2, 7 pairs: For the paper."


def test_looks_are_counted_and_a_run_is_warned_of_what_is_weak() -> None:
    test = make_study(n_heldout=6, n_train=4)
    snapshot = snapshot_create(test=test)
    run = make_done_run(test, snapshot=snapshot, question="relevance", n_heldout=120, base_seen="It was trained on 3.")
    Metric.objects.filter(run=run, model="difference", name="srcc").update(value=0.1, low=0.02, high=0.18, n=120)
    for kind in [LookKind.RUN] * 2 + [LookKind.CHALLENGE] * 20:
        heldout_look(heldout_set=snapshot.heldout_set, kind=kind)

    notes = heldout_notes_of_run(run=run)

    assert notes and (notes.version, notes.n_pairs, notes.of_pairs) == (1, 120, 6)
    assert (notes.n_looks, notes.n_challenges) == (22, 20)
    few, seen, often = notes.warnings
    assert few.startswith("120 held-out pairs are few for a difference of 0.100 in SRCC: over so many, an SRCC near .5")
    assert "standard error of 0.073" in few and few.endswith("about 256 would settle it.")
    assert seen == "It was trained on 3."
    assert often.startswith("20 models have been compared on these held-out pairs. The best of many owes part")


def test_a_large_difference_on_many_pairs_is_not_warned_of() -> None:
    run = make_done_run(make_test(), n_heldout=168)
    notes = heldout_notes_of_run(run=run)
    assert notes and (notes.version, notes.warnings) == (None, ())


def test_the_tests_notes_are_of_the_newest_version() -> None:
    test = make_study(n_heldout=6, n_train=4)
    assert heldout_notes_of_test(test=test) == []
    snapshot_create(test=test)
    more_held_out(test, 3)
    snapshot_create(test=test)
    more_held_out(test, 1)
    snapshot_create(test=test)

    (notes,) = heldout_notes_of_test(test=test)

    assert (notes.question, notes.version, notes.of_pairs, notes.n_waiting) == ("relevance", 2, 9, 1)
    assert [sentence.split(":")[0] for sentence in notes.warnings] == ["9 held-out pairs are few"]


def test_a_run_counts_its_look_and_keeps_what_the_base_model_has_seen(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    test = make_study()
    seen = {"seen_known": True, "seen_note": "A model was trained on the caption of 3 of the 30 held-out pairs."}
    monkeypatch.setattr(
        "worker.jobs.training.train",
        lambda config, snapshot, out, **_: dataclasses.replace(result_of(test, out), **seen),
    )
    with django_capture_on_commit_callbacks(execute=True):
        run = queued_run(test, enqueue=False)
        run_execute(run_id=run.pk)
    run.refresh_from_db()

    notes = heldout_notes_of_run(run=run)

    assert notes and run.status == RunStatus.DONE
    assert (notes.version, notes.n_looks, notes.n_challenges, notes.base_says) == (1, 2, 1, True)
    assert seen["seen_note"] in notes.warnings
    assert run.model_version.challenge.heldout_set == run.snapshot.heldout_set
