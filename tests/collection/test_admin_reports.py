"""What raters reported, how their sittings went, and who withdrew: seen in the admin, never edited."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from listening_tests.choices import CheckOutcome, ProblemKind, SessionStatus, WithdrawnRatings
from listening_tests.models import (
    Assignment,
    Consent,
    Pair,
    ProblemReport,
    Questionnaire,
    Rating,
    Session,
    SurveyAnswer,
    SurveyQuestion,
    Withdrawal,
)
from tests.collection.admin_pages import make_rating, page
from tests.factories import make_pair, make_test

pytestmark = pytest.mark.django_db
HOSTILE = "<script>alert(1)</script>"
# With the session, the account and the lists that filters offer.
LISTS = {"problemreport": 6, "withdrawal": 7, "questionnaire": 8, "session": 7, "rating": 7}


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(User.objects.create(username="researcher", is_staff=True, is_superuser=True))
    return client


def everything_of(pair: Pair) -> Session:
    """A sitting with a report of each kind, a questionnaire and a withdrawal."""
    make_rating(pair)
    session, now = Session.objects.latest("pk"), timezone.now()
    for kind in (ProblemKind.LOAD, ProblemKind.DECODE):
        skipped = Assignment.objects.create(
            session=session,
            rater=session.rater,
            pair=make_pair(pair.test),
            position=session.assignments.count() + 1,
            **{"propensity": 1, "leased_at": now, "lease_expires_at": now, "released_at": now, "skipped_at": now},
        )
        ProblemReport.objects.create(test=pair.test, session=session, assignment=skipped, pair=pair, kind=kind)
    ProblemReport.objects.create(test=pair.test, kind=ProblemKind.OTHER, text=HOSTILE, browser=HOSTILE)
    question, _ = SurveyQuestion.objects.get_or_create(test=pair.test, prompt="How old are you?")
    questionnaire = Questionnaire.objects.create(session=session, remarks=HOSTILE)
    SurveyAnswer.objects.create(questionnaire=questionnaire, question=question, text=HOSTILE)
    treatment = WithdrawnRatings.DELETE
    Withdrawal.objects.create(test=pair.test, rater=session.rater, treatment=treatment, n_ratings=3)
    return session


def test_it_works(staff: Client) -> None:
    pair = make_pair(make_test(title="Barking"))
    session = everything_of(pair)
    clip = ProblemReport.objects.get(kind=ProblemKind.LOAD).pair.clip  # type: ignore[union-attr]
    shown = staff.get(page("problemreport_changelist")).content.decode()

    assert "not loaded" in shown and "not played" in shown and "other" in shown
    assert clip.name in shown and str(session.rater.uuid)[:8] in shown
    loaded = staff.get(page("problemreport_changelist"), {"kind__exact": "load", "test__id__exact": pair.test_id})
    assert loaded.context["cl"].result_count == 1
    report = staff.get(page("problemreport_change", ProblemReport.objects.get(kind=ProblemKind.LOAD).pk))
    assert page("clip_audio", clip.uuid, "rendition") in report.content.decode()
    withdrawn = staff.get(page("withdrawal_changelist")).content.decode()
    assert "Delete them" in withdrawn and str(session.rater) in withdrawn


def test_sittings_tell_how_many_sounds_were_skipped(staff: Client) -> None:
    make_rating(make_pair(make_test()))
    plain = Session.objects.get()
    skipping = everything_of(make_pair(make_test()))

    shown = staff.get(page("session_changelist")).context["cl"].result_list

    assert {session.pk: session.n_skipped for session in shown} == {plain.pk: 0, skipping.pk: 2}
    one = staff.get(page("session_change", skipping.pk)).content.decode()
    assert "Skipped" in one


def test_consents_tell_what_was_promised(staff: Client) -> None:
    make_rating(make_pair(make_test()))
    Consent.objects.update(withdrawn_ratings=WithdrawnRatings.EXCLUDE)
    consent = Consent.objects.get()
    pages = (
        page("consent_changelist"),
        page("consent_change", consent.pk),
        page("rater_change", consent.rater.pk),
    )

    for address in pages:
        assert WithdrawnRatings.EXCLUDE.label in staff.get(address).content.decode()


@pytest.mark.parametrize("model", ["problemreport", "withdrawal", "questionnaire"])
def test_nothing_is_added_changed_or_deleted(staff: Client, model: str) -> None:
    everything_of(make_pair(make_test()))
    rows = {"problemreport": ProblemReport, "withdrawal": Withdrawal, "questionnaire": Questionnaire}[model]
    row = rows.objects.first()
    assert row is not None
    before = list(rows.objects.values())

    assert staff.get(page(f"{model}_change", row.pk)).status_code == 200
    assert staff.get(page(f"{model}_add")).status_code == 403
    assert staff.post(page(f"{model}_change", row.pk), {"text": "mine"}).status_code == 403
    assert staff.post(page(f"{model}_delete", row.pk), {"post": "yes"}).status_code == 403
    assert list(rows.objects.values()) == before


@pytest.mark.parametrize("model", ["problemreport", "questionnaire"])
def test_words_of_raters_are_hostile_text(staff: Client, model: str) -> None:
    everything_of(make_pair(make_test()))
    rows = {"problemreport": ProblemReport, "questionnaire": Questionnaire}[model]
    addresses = [page(f"{model}_changelist"), *(page(f"{model}_change", row.pk) for row in rows.objects.all())]

    shown = "".join(staff.get(address).content.decode() for address in addresses)

    assert HOSTILE not in shown
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown


@pytest.mark.parametrize(("model", "most_queries"), LISTS.items())
def test_lists_ask_the_database_a_fixed_number_of_times(
    staff: Client, model: str, most_queries: int, django_assert_max_num_queries: object
) -> None:
    test = make_test()
    for _ in range(4):
        everything_of(make_pair(test))
    with django_assert_max_num_queries(most_queries):  # type: ignore[operator]
        assert staff.get(page(f"{model}_changelist")).status_code == 200


@pytest.mark.parametrize(
    ("status", "word", "check"),
    [
        (SessionStatus.ACTIVE, "active", "not yet (2)"),
        (SessionStatus.COMPLETE, "complete", "passed (2)"),
        (SessionStatus.CUT_SHORT, "cut short", "passed (2)"),
        (SessionStatus.SCREENED, "screened out", "failed (2)"),
        (SessionStatus.WITHDRAWN, "withdrawn", "passed (2)"),
    ],
)
def test_sittings_tell_how_they_went(staff: Client, status: SessionStatus, word: str, check: str) -> None:
    make_rating(make_pair(make_test()))
    counts = {"planned_count": 20, "saved_count": 14, "check_attempts": 2, "timed_count": 15, "elapsed_s": 1234.5}
    needs_check = status in {SessionStatus.ACTIVE, SessionStatus.SCREENED}
    Session.objects.update(status=status, needs_check=needs_check, left_right=CheckOutcome.FAILED, **counts)
    shown = staff.get(page("session_changelist")).content.decode()

    assert word in shown and "14 of 20" in shown and check in shown and "failed</td>" in shown
    found = staff.get(page("session_changelist"), {"status__exact": status, "left_right__exact": "failed"})
    assert found.context["cl"].result_count == 1
    one = staff.get(page("session_change", Session.objects.get().pk)).content.decode()
    assert str(status.label) in one and "14 of 20" in one and check in one
    assert "1,234 s on 15 pairs, practice included" in one


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "not asked"),
        ({"headphone_check": "huggins"}, "not yet"),
        ({"headphone_check": "huggins", "headphones_at": timezone.now()}, "could not be checked"),
        (
            {"headphone_check": "anti_phase", "headphones": "failed", "headphones_right": 4, "headphone_attempts": 1},
            "failed (4 of 6)",
        ),
    ],
)
def test_sittings_tell_what_the_headphone_check_found(staff: Client, fields: dict[str, object], words: str) -> None:
    make_rating(make_pair(make_test()))
    Session.objects.update(**fields)
    wanted = {"headphones__exact": fields.get("headphones", "unchecked")}
    shown = staff.get(page("session_changelist"), wanted)
    assert shown.context["cl"].result_count == 1
    one = staff.get(page("session_change", Session.objects.get().pk))
    assert all(words in answer.content.decode() for answer in (shown, one))


@pytest.mark.parametrize(("flag", "words"), [("late", "late"), ("too_soon", "too soon")])
def test_flags_of_ratings_are_seen_and_filtered_by(staff: Client, flag: str, words: str) -> None:
    make_rating(make_pair(make_test()))
    plain = make_rating(make_pair(make_test()))
    assert f">{words}<" not in "".join(staff.get(page("rating_changelist")).content.decode().split())
    row = {field.attname: getattr(plain, field.attname) for field in Rating._meta.concrete_fields}
    plain.delete()
    flagged = Rating.objects.create(**row | {flag: True})

    shown = staff.get(page("rating_changelist"), {f"{flag}__exact": "1"})

    assert [rating.pk for rating in shown.context["cl"].result_list] == [flagged.pk]
    assert words in shown.content.decode()
    assert staff.get(page("rating_change", flagged.pk)).status_code == 200
