"""The admin by role: an account of staff sees its own tests, with what its role allows, and nothing of others."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from listening_tests.choices import AuditedAction, Role, TestStatus
from listening_tests.models import (
    AuditEntry,
    Exclusion,
    ListeningTest,
    Member,
    ProblemReport,
    Questionnaire,
    RaterIdentity,
    Rating,
)
from tests.collection.admin_pages import existing, form_of_test, make_rating, page
from tests.factories import make_pair, make_test

pytestmark = pytest.mark.django_db

OURS = {"listening_tests", "worker"}
MODELS = [model for model in apps.get_models() if model._meta.app_label in OURS and model in admin.site._registry]
SECRET = "My name is Ann"


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def make_member(test: ListeningTest | None, role: str = Role.OWNER, name: str = "member") -> Client:
    user = User.objects.create(username=name, is_staff=True)
    if test is not None:
        Member.objects.create(test=test, user=user, role=role)
    return client_of(user)


@pytest.fixture
def test() -> ListeningTest:
    """With a rating, an exclusion, an identity, and words of its rater."""
    test = make_test(slug="rain", title="Rain falls")
    rating = make_rating(make_pair(test))
    session = rating.assignment.session  # type: ignore[union-attr]
    Questionnaire.objects.create(session=session, device="headphones", surroundings="quiet", remarks=SECRET)
    ProblemReport.objects.create(test=test, session=session, kind="other", text=SECRET, browser="Ann's phone")
    AuditEntry.objects.create(test=test, test_slug="rain", action=AuditedAction.OPENED)
    return test


def rows_shown(client: Client, name: str) -> int:
    return int(client.get(page(f"{name}_changelist")).context["cl"].queryset.count())


def test_it_works(test: ListeningTest) -> None:
    """Without a permission set by hand, whoever makes a test owns it, and others' tests are not there."""
    client = make_member(None)
    assert rows_shown(client, "listeningtest") == 0
    assert client.post(page("listeningtest_add"), form_of_test()).status_code == 302
    mine = ListeningTest.objects.get(slug="barking")
    assert Member.objects.get(test=mine).role == Role.OWNER
    assert client.get(page("listeningtest_change", mine.pk)).status_code == 200
    assert client.post(page("listeningtest_change", mine.pk), existing(mine, title="Meowing")).status_code == 302
    told = list(AuditEntry.objects.filter(test=mine).order_by("id").values_list("action", "username"))
    assert told == [("created", "member"), ("changed", "member")]
    assert rows_shown(client, "listeningtest") == 1


def test_nothing_of_others_is_shown_anywhere(test: ListeningTest) -> None:
    stranger = make_member(make_test())
    for model in MODELS:
        rows = model._default_manager.all()
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        listed = stranger.get(reverse(f"{name}_changelist"))
        assert listed.status_code == 200, model
        assert "Rain falls" not in listed.text, model
        mine = {*listed.context["cl"].queryset.values_list("pk", flat=True)}
        of_others = [row for row in rows if row.pk not in mine]
        for row in of_others:
            # The admin's way to say that there is no such row.
            assert stranger.get(reverse(f"{name}_change", args=[row.pk])).status_code in {302, 403}, model
        if model._meta.model_name not in {"listeningtest", "trainingplan"}:
            assert not mine, model
    clip = test.pairs.get().clip
    assert stranger.get(page("clip_audio", clip.uuid, "rendition")).status_code == 404
    for change in ("open", "pause", "close"):
        assert stranger.post(page("listeningtest_status", test.pk, change)).status_code == 404


@pytest.mark.parametrize("role", Role.values)
def test_what_a_role_sees_and_changes(test: ListeningTest, role: str) -> None:
    client = make_member(test, role)
    sets_up, screens = role != Role.ANALYST, role != Role.ASSISTANT
    assert rows_shown(client, "rating") == rows_shown(client, "session") == rows_shown(client, "pair") == 1
    sent = existing(test, consent_version=2)
    assert client.post(page("listeningtest_change", test.pk), sent).status_code == (302 if sets_up else 403)
    paused = client.post(page("listeningtest_status", test.pk, "pause")).status_code
    assert (paused, ListeningTest.objects.get().status) == ((302, "paused") if sets_up else (403, "open"))
    assert client.get(page("exclusion_add")).status_code == (200 if screens else 403)
    assert client.get(page("rateridentity_changelist")).status_code == (200 if sets_up else 403)
    assert client.get(page("rating_export", "csv")).status_code == (200 if screens else 403)
    assert ("who works on it" in client.get(page("listeningtest_change", test.pk)).text.lower()) == (role == Role.OWNER)
    # Nobody's role reaches the accounts.
    assert client.get(reverse("admin:auth_user_changelist")).status_code == 403


def test_analysts_read_nothing_that_says_who_a_rater_is(test: ListeningTest) -> None:
    identity = RaterIdentity.objects.get().claimed_id
    report, answers = ProblemReport.objects.get(), Questionnaire.objects.get()
    session = test.sessions.get()
    pages = (
        *(page("problemreport_changelist"), page("problemreport_change", report.pk)),
        *(page("questionnaire_changelist"), page("questionnaire_change", answers.pk)),
        *(page("session_change", session.pk), reverse("dashboard:test_page", args=["rain"])),
    )
    analyst, assistant = make_member(test, Role.ANALYST, "analyst"), make_member(test, Role.ASSISTANT, "assistant")
    for address in pages:
        assert SECRET in assistant.get(address).text, address
        shown = analyst.get(address)
        assert shown.status_code == 200
        assert SECRET not in shown.text and "s phone" not in shown.text and identity not in shown.text, address
    for name in ("questionnaire", "problemreport"):
        found = analyst.get(page(f"{name}_changelist"), {"q": "Ann"})
        assert found.context["cl"].queryset.count() == 0
        assert assistant.get(page(f"{name}_changelist"), {"q": "Ann"}).context["cl"].queryset.count() == 1


def test_an_identity_is_erased_by_who_may_know_it_everywhere(test: ListeningTest) -> None:
    identity = RaterIdentity.objects.get()
    assistant = make_member(test, Role.ASSISTANT)
    elsewhere = make_test()
    identity.rater.consents.create(test=elsewhere, version=1)
    address = page("rateridentity_delete", identity.pk)
    assert assistant.post(address, {"post": "yes"}).status_code == 403
    Member.objects.create(test=elsewhere, user=User.objects.get(), role=Role.OWNER)
    assert assistant.post(address, {"post": "yes"}).status_code == 302
    assert not RaterIdentity.objects.exists() and Rating.objects.exists()


def test_an_answer_of_another_test_cannot_be_left_out(test: ListeningTest) -> None:
    stranger = make_member(make_test())
    sent = {"rating": Rating.objects.get().pk, "comparison": "", "rule": "mine", "version": 1, "reason": "x"}
    assert stranger.post(page("exclusion_add"), sent).status_code == 200
    assert Exclusion.objects.filter(rule="mine").count() == 0
    owner = make_member(test, name="owner")
    assert owner.post(page("exclusion_add"), sent).status_code == 302
    exclusion = Exclusion.objects.get(rule="mine")
    assert stranger.post(page("exclusion_delete", exclusion.pk), {"post": "yes"}).status_code == 302
    assert Exclusion.objects.filter(rule="mine").exists()


def members(test: ListeningTest, *rows: tuple[object, object, str]) -> dict[str, object]:
    """The page of the test with these members, each the key of its row, of its account, and a role."""
    initial = sum(1 for row in rows if row[0])
    sent: dict[str, object] = {"members-TOTAL_FORMS": len(rows), "members-INITIAL_FORMS": initial}
    for number, (pk, user, role) in enumerate(rows):
        part = {"id": pk, "user": user, "role": role, "test": test.pk}
        sent |= {f"members-{number}-{name}": value for name, value in part.items()}
    return existing(test, consent_version=2, **sent)


def test_owners_say_who_works_on_a_test(test: ListeningTest) -> None:
    owner = make_member(test)
    me = Member.objects.get()
    ann = User.objects.create(username="ann", is_staff=True)
    address = page("listeningtest_change", test.pk)
    sent = members(test, (me.pk, me.user_id, "owner"), ("", ann.pk, "analyst"))
    assert owner.post(address, sent).status_code == 302
    assert Member.objects.get(user=ann).role == Role.ANALYST
    assert AuditEntry.objects.get(action=AuditedAction.MEMBERS).detail == "ann is analyst"

    refused = owner.post(address, members(test, (me.pk, me.user_id, "assistant")))
    assert "A test needs an owner, who alone can say who works on it." in refused.text
    assert Member.objects.get(pk=me.pk).role == Role.OWNER
    # An assistant's page has no such rows, whatever is sent.
    helper = make_member(test, Role.ASSISTANT, "helper")
    helper_pk = User.objects.get(username="helper").pk
    helper.post(address, members(test, (me.pk, me.user_id, "owner"), ("", helper_pk, "owner")))
    assert Member.objects.filter(role=Role.OWNER).count() == 1


def test_a_draft_goes_with_its_owner_alone() -> None:
    test = make_test(status=TestStatus.DRAFT)
    make_pair(test)
    assistant, owner = make_member(test, Role.ASSISTANT, "assistant"), make_member(test)
    address = page("listeningtest_delete", test.pk)
    assert assistant.post(address, {"post": "yes"}).status_code == 403
    assert owner.post(address, {"post": "yes"}).status_code == 302
    assert not ListeningTest.objects.exists()


def test_the_list_of_ratings_leaves_as_its_filters_say(test: ListeningTest) -> None:
    other = make_rating(make_pair(make_test()))
    owner = make_member(test)
    shown = owner.get(page("rating_changelist"), {"question": "relevance"})
    assert f"{page('rating_export', 'parquet')}?question=relevance" in shown.text
    rows = owner.get(page("rating_export", "csv"), {"question": "relevance"}).getvalue().decode()
    assert str(Rating.objects.get(test=test).uuid) in rows and str(other.uuid) not in rows
    assert owner.get(page("rating_export", "csv"), {"question": "beauty"}).getvalue().count(b"\n") == 1
    assert AuditEntry.objects.filter(action=AuditedAction.EXPORTED).count() == 1
    assert owner.get(page("rating_export", "xls")).status_code == 404
    assert owner.post(page("rating_export", "csv")).status_code == 405


def test_the_audit_log_is_read_and_never_written(test: ListeningTest) -> None:
    owner = make_member(test)
    entry = AuditEntry.objects.get()
    assert "a command" in owner.get(page("auditentry_changelist")).text
    assert owner.get(page("auditentry_add")).status_code == 403
    assert owner.post(page("auditentry_delete", entry.pk), {"post": "yes"}).status_code == 403
