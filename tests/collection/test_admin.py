"""The admin: making and editing tests, changing their status, listening, and what nobody can change."""

import uuid

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from listening_tests.choices import PairRole, Role, TestKind, TestStatus
from listening_tests.models import (
    Comparison,
    Consent,
    Exclusion,
    ListeningTest,
    Member,
    Pair,
    RaterIdentity,
    Rating,
    Trial,
)
from tests.collection.admin_pages import existing, form_of_test, make_rating, page
from tests.factories import make_pair, make_pairs, make_test
from tests.sittings import answer_all, anything_in, make_test_of, prefer

pytestmark = pytest.mark.django_db

LISTS = {
    "listeningtest": 7,
    "pair": 7,
    "trial": 7,
    "comparison": 7,
    "clip": 6,
    "caption": 6,
    "rater": 6,
    "rateridentity": 7,
    "consent": 7,
    "session": 7,
    "rating": 7,
    "exclusion": 7,
}


@pytest.fixture
def staff() -> Client:
    client = Client()
    # Without a password, whose hashing would take longer than the rest of a test.
    client.force_login(User.objects.create(username="researcher", is_staff=True, is_superuser=True))
    return client


def test_it_works(staff: Client) -> None:
    """A test is made with its question, though nobody changed the default one."""
    assert staff.get(page("listeningtest_add")).status_code == 200
    response = staff.post(page("listeningtest_add"), form_of_test())
    assert response.status_code == 302
    test = ListeningTest.objects.get()
    assert (test.slug, test.status, test.questions.get().scale_max) == ("barking", TestStatus.DRAFT, 10)
    assert staff.post(page("listeningtest_change", test.pk), existing(test, title="Meowing")).status_code == 302
    assert ListeningTest.objects.get().title == "Meowing"


@pytest.mark.parametrize(
    ("scale", "sentence"),
    [
        ({"questions-0-scale_max": 0}, "The scale must end above its beginning."),
        ({"questions-0-scale_step": -1}, "The step must be more than 0, or 0 for a continuous scale."),
        ({"questions-0-scale_step": 3}, "Steps of 3 do not lead from 0 to 10."),
        ({"questions-0-scale_step": 0.01}, "The scale has more than 101 values. Take a larger step."),
    ],
)
def test_a_scale_that_cannot_be_shown(staff: Client, scale: dict[str, float], sentence: str) -> None:
    response = staff.post(page("listeningtest_add"), form_of_test(**scale))
    assert sentence in response.content.decode()
    assert not ListeningTest.objects.exists()


def test_a_scale_stays_once_it_was_used(staff: Client) -> None:
    test = make_test()
    address = page("listeningtest_change", test.pk)
    assert staff.post(address, existing(test, **{"questions-0-scale_max": 5})).status_code == 302
    make_rating(make_pair(test), score=3)
    response = staff.post(address, existing(test, **{"questions-0-scale_max": 10}))
    assert "This question has ratings, so its scale cannot change" in response.content.decode()
    assert test.questions.get().scale_max == 5


@pytest.mark.parametrize("field", ["prompt", "min_label", "max_label"])
def test_the_wording_of_a_question_stays_once_it_was_answered(staff: Client, field: str) -> None:
    test = make_test()
    address = page("listeningtest_change", test.pk)
    assert staff.post(address, existing(test, **{f"questions-0-{field}": "Mended"})).status_code == 302
    make_rating(make_pair(test))
    before = test.questions.values().get()
    response = staff.post(address, existing(test, **{f"questions-0-{field}": "Something else"}))
    assert (
        "This question has ratings, so its wording cannot change: the scores would mean something else. "
        "Make another test for another wording."
    ) in response.content.decode()
    assert test.questions.values().get() == before
    kept = {f"questions-0-{field}": "Mended", "questions-0-name": "match"}
    assert staff.post(address, existing(test, **kept)).status_code == 302
    assert test.questions.get().name == "match"


def test_headphones_are_required_only_where_they_are_checked(staff: Client) -> None:
    test = make_test()
    address = page("listeningtest_change", test.pk)
    response = staff.post(address, existing(test, headphones_required="on"))
    assert (
        "Headphones can be required only where they are checked. Choose a check, or do not require them."
    ) in response.content.decode()
    test.refresh_from_db()
    assert not test.headphones_required
    chosen = existing(test, headphones_required="on", headphone_check="huggins")
    assert staff.post(address, chosen).status_code == 302
    test.refresh_from_db()
    assert (test.headphones_required, test.headphone_check) == (True, "huggins")


def test_the_address_of_a_test_stays_once_it_was_opened(staff: Client) -> None:
    test = make_test(status=TestStatus.DRAFT)
    address = page("listeningtest_change", test.pk)
    assert staff.post(address, existing(test, slug="first")).status_code == 302
    ListeningTest.objects.update(status=TestStatus.PAUSED)
    response = staff.post(address, existing(test, slug="second", title="New"))
    assert (
        "This test was opened, so its address cannot change: the links that raters have would lead nowhere. "
        "Make another test for another address."
    ) in response.content.decode()
    test.refresh_from_db()
    assert (test.slug, test.title) == ("first", "Barking")
    assert staff.post(address, existing(test, title="New")).status_code == 302


def test_a_consent_text_that_raters_agreed_to_changes_with_its_version_alone(staff: Client) -> None:
    test = make_test(consent_text="One.\nTwo.")
    address = page("listeningtest_change", test.pk)
    assert staff.post(address, existing(test, consent_text="Three.\r\nFour.")).status_code == 302
    make_rating(make_pair(test))
    response = staff.post(address, existing(test, consent_text="We sell what you say."))
    assert (
        "Raters agreed to version 1 of the consent, so neither its text nor what becomes of the "
        "ratings of who withdraws can change. Raise the version to 2 or more to change them."
    ) in response.content.decode()
    test.refresh_from_db()
    assert test.consent_text == "Three.\r\nFour."
    assert staff.post(address, existing(test, consent_text="Three.\nFour.", title="Same")).status_code == 302
    raised = {"consent_text": "We sell what you say.", "consent_version": 2}
    assert staff.post(address, existing(test, **raised)).status_code == 302
    assert (
        "Raters agreed to version 1"
        in staff.post(address, existing(test, **raised | {"consent_version": 1})).content.decode()
    )
    test.refresh_from_db()
    assert (test.consent_text, test.consent_version) == ("We sell what you say.", 2)


def status_after(staff: Client, test: ListeningTest, change: str, **data: str) -> str:
    response = staff.post(page("listeningtest_status", test.pk, change), data, follow=True)
    assert response.status_code == 200
    test.refresh_from_db()
    return test.status


def test_a_test_is_opened_paused_and_closed(staff: Client) -> None:
    test = make_test(status=TestStatus.DRAFT)
    make_pairs(test, 3)
    shown = staff.get(page("listeningtest_change", test.pk)).content.decode()
    assert "This test is a draft. No rater can see it." in shown
    assert "It has no practice pair" in shown
    assert status_after(staff, test, "open") == TestStatus.DRAFT
    assert status_after(staff, test, "open", force="1") == TestStatus.OPEN
    assert status_after(staff, test, "pause") == TestStatus.PAUSED
    assert status_after(staff, test, "open", force="1") == TestStatus.OPEN
    assert status_after(staff, test, "close") == TestStatus.CLOSED
    assert status_after(staff, test, "open", force="1") == TestStatus.CLOSED
    assert "stays closed" not in staff.get(page("listeningtest_change", test.pk)).content.decode()


def test_a_status_changes_by_post_alone(staff: Client) -> None:
    test = make_test(status=TestStatus.OPEN)
    for change in ("open", "pause", "close"):
        assert staff.get(page("listeningtest_status", test.pk, change)).status_code == 405
    assert staff.post(page("listeningtest_status", test.pk, "delete")).status_code == 405
    assert staff.post(page("listeningtest_status", 999, "open")).status_code == 404
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(User.objects.get())
    assert careful.post(page("listeningtest_status", test.pk, "close")).status_code == 403
    test.refresh_from_db()
    assert test.status == TestStatus.OPEN


def test_who_may_only_view_changes_nothing() -> None:
    viewer = User.objects.create(username="viewer", is_staff=True)
    client = Client()
    client.force_login(viewer)
    test = make_test(status=TestStatus.OPEN)
    Member.objects.create(test=test, user=viewer, role=Role.ANALYST)
    shown = client.get(page("listeningtest_change", test.pk))
    assert shown.status_code == 200
    assert "Pause" not in shown.content.decode()
    assert client.post(page("listeningtest_status", test.pk, "close")).status_code == 403
    assert client.post(page("listeningtest_change", test.pk), existing(test, title="Mine")).status_code == 403
    test.refresh_from_db()
    assert (test.status, test.title) == (TestStatus.OPEN, ListeningTest.objects.get().title)


def test_only_an_unused_draft_can_be_deleted(staff: Client) -> None:
    used, unused = make_test(), make_test(status=TestStatus.DRAFT)
    make_rating(make_pair(used))
    make_pair(unused)
    assert staff.post(page("listeningtest_delete", used.pk), {"post": "yes"}).status_code == 403
    assert staff.post(page("listeningtest_delete", unused.pk), {"post": "yes"}).status_code == 302
    assert ListeningTest.objects.get() == used


def test_a_pair_can_be_taken_out_of_a_draft_alone(staff: Client) -> None:
    started, draft = make_pair(make_test()), make_pair(make_test(status=TestStatus.DRAFT))
    assert staff.post(page("pair_delete", started.pk), {"post": "yes"}).status_code == 403
    assert staff.post(page("pair_delete", draft.pk), {"post": "yes"}).status_code == 302
    assert Pair.objects.get() == started


@pytest.mark.parametrize("kind", [TestKind.COMPARISON, TestKind.SIDE_BY_SIDE])
def test_a_pair_of_a_draft_leaves_its_trials(staff: Client, kind: str) -> None:
    test = make_test_of(kind, n_captions=2, status=TestStatus.DRAFT)
    pair = test.pairs.filter(role=PairRole.STUDY).first()
    assert pair is not None
    before = Trial.objects.count()
    assert staff.post(page("pair_delete", pair.pk), {"post": "yes"}).status_code == 302
    # Of three comparisons of a caption two are none any more; a trial side by side goes on without it.
    assert Trial.objects.count() == before - (2 if kind == TestKind.COMPARISON else 0)
    assert not Pair.objects.filter(pk=pair.pk).exists()


def test_a_draft_with_trials_can_be_deleted(staff: Client) -> None:
    test = make_test_of(TestKind.SIDE_BY_SIDE, status=TestStatus.DRAFT)
    assert staff.post(page("listeningtest_delete", test.pk), {"post": "yes"}).status_code == 302
    assert not ListeningTest.objects.exists() and not Trial.objects.exists()


@pytest.mark.parametrize("model", ["comparison", "trial"])
def test_comparisons_and_trials_are_looked_at_and_never_edited(staff: Client, model: str) -> None:
    answer_all(make_test_of(TestKind.COMPARISON), prefer("mine"), most=1)
    row = {"comparison": Comparison, "trial": Trial}[model].objects.first()
    assert row is not None
    assert staff.get(page(f"{model}_change", row.pk)).status_code == 200
    assert staff.get(page(f"{model}_add")).status_code == 403
    assert staff.post(page(f"{model}_change", row.pk), {"choice": "none"}).status_code == 403
    assert staff.post(page(f"{model}_delete", row.pk), {"post": "yes"}).status_code == 403
    assert type(row).objects.filter(pk=row.pk).exists()


def test_a_comparison_tells_which_was_chosen_by_system_and_by_place(staff: Client) -> None:
    test = make_test_of(TestKind.COMPARISON, n_captions=1, systems=("mine", "other"))
    answer_all(test, prefer("mine"))
    shown = staff.get(page("comparison_changelist"))
    (row,) = shown.context["cl"].result_list
    chosen = row.first if row.choice == "first" else row.second
    assert chosen.system == "mine"
    text = shown.content.decode()
    assert "mine" in text and "other" in text and "relevance" in text
    assert f'<span class="whitespace-nowrap">{row.get_choice_display()}</span>' in text
    assert "mine" in staff.get(page("comparison_change", row.pk)).content.decode()


def test_a_trial_tells_its_clips(staff: Client) -> None:
    test = make_test_of(TestKind.SIDE_BY_SIDE, n_captions=2)
    trial = test.trials.first()
    assert trial is not None
    shown = staff.get(page("trial_changelist"))
    assert [row.n_clips for row in shown.context["cl"].result_list] == [4, 4]
    assert "0 of 4" in shown.content.decode()
    text = staff.get(page("trial_change", trial.pk)).content.decode()
    assert all(page("clip_audio", pair.clip.uuid, "rendition") in text for pair in trial.pairs.all())
    assert "Anchor" in text and "third" in text


def test_ratings_tell_question_and_place_and_are_found_by_question(staff: Client) -> None:
    test = make_test_of(TestKind.SIDE_BY_SIDE, n_captions=2)
    test.questions.create(name="quality", scale_max=100, scale_step=0)
    answer_all(test, anything_in(test.kind), most=1)
    shown = staff.get(page("rating_changelist"), {"question": "quality"})
    found = list(shown.context["cl"].result_list)
    assert {rating.question.name for rating in found} == {"quality"}
    assert sorted(rating.place for rating in found) == [1, 2, 3, 4]
    assert "100 of 100" in shown.content.decode()
    assert staff.get(page("rating_change", found[0].pk)).status_code == 200


@pytest.mark.parametrize("kind", [TestKind.COMPARISON, TestKind.SIDE_BY_SIDE])
def test_a_sitting_of_trials_can_be_looked_at(staff: Client, kind: str) -> None:
    session = answer_all(make_test_of(kind), anything_in(kind), most=1)
    shown = staff.get(page("session_change", session.pk)).content.decode()
    assert f"Trial of {session.assignments.earliest('position').caption}" in shown
    assert "on 1 trials, practice included" in shown


@pytest.mark.parametrize("model", ["rating", "session", "rater", "clip", "caption", "consent"])
def test_what_happened_is_never_edited(staff: Client, model: str) -> None:
    rating = make_rating(make_pair(make_test()))
    row = {
        "rating": rating,
        "session": rating.assignment.session if rating.assignment else None,
        "rater": rating.rater,
        "clip": rating.pair.clip,
        "caption": rating.pair.caption,
        "consent": Consent.objects.get(),
    }[model]
    assert row is not None
    assert staff.get(page(f"{model}_change", row.pk)).status_code == 200
    assert staff.get(page(f"{model}_add")).status_code == 403
    assert staff.post(page(f"{model}_change", row.pk), {"score": 1}).status_code == 403
    assert staff.post(page(f"{model}_delete", row.pk), {"post": "yes"}).status_code == 403
    rating.refresh_from_db()
    assert rating.score == 7


def test_an_identity_can_be_erased_and_the_ratings_stay(staff: Client) -> None:
    make_rating(make_pair(make_test()))
    identity = RaterIdentity.objects.get()
    assert staff.post(page("rateridentity_delete", identity.pk), {"post": "yes"}).status_code == 302
    assert not RaterIdentity.objects.exists()
    assert Rating.objects.count() == 1


def test_an_exclusion_is_added_and_taken_back_but_not_edited(staff: Client) -> None:
    rating = make_rating(make_pair(make_test()))
    first = Exclusion.objects.get()
    added = {"rating": rating.pk, "rule": "noise", "version": 1, "reason": "A drill."}
    assert staff.post(page("exclusion_add"), added).status_code == 302
    assert staff.post(page("exclusion_change", first.pk), added).status_code == 403
    assert staff.post(page("exclusion_delete", first.pk), {"post": "yes"}).status_code == 302
    assert Exclusion.objects.get().rule == "noise"


@pytest.mark.parametrize(
    ("named", "sentence"),
    [
        ((), "An exclusion is of one answer. Give a rating or a comparison."),
        (("rating", "comparison"), "An exclusion is of one answer. Give a rating or a comparison, not both."),
    ],
)
def test_an_exclusion_is_of_one_answer(staff: Client, named: tuple[str, ...], sentence: str) -> None:
    answer_all(make_test_of(TestKind.COMPARISON), prefer("mine"), most=1)
    answers = {"rating": make_rating(make_pair(make_test())).pk, "comparison": Comparison.objects.get().pk}
    before = list(Exclusion.objects.values())
    added = {"rule": "noise", "version": 1, "reason": "A drill."} | {name: answers[name] for name in named}
    assert sentence in staff.post(page("exclusion_add"), added).content.decode()
    assert list(Exclusion.objects.values()) == before


def test_a_comparison_is_left_out_too(staff: Client) -> None:
    answer_all(make_test_of(TestKind.COMPARISON), prefer("mine"), most=1)
    comparison = Comparison.objects.get()
    added = {"comparison": comparison.pk, "rule": "noise", "version": 1, "reason": "A drill."}
    assert staff.post(page("exclusion_add"), added).status_code == 302
    assert Exclusion.objects.get().comparison == comparison
    assert str(comparison) in staff.get(page("exclusion_changelist")).content.decode()


def test_an_exclusion_by_hand_is_explained(staff: Client) -> None:
    shown = staff.get(page("exclusion_add")).content.decode()
    assert "Choose it by the magnifying glass, which opens the list of ratings." in shown
    assert "the same for all ratings that it leaves out" in shown
    assert "one more each time that the rule is changed" in shown


@pytest.mark.parametrize(
    ("model", "title"),
    [("rating", "submitted"), ("session", "started"), ("rater", "came"), ("consent", "given"), ("exclusion", "added")],
)
def test_lists_tell_times_in_one_way(staff: Client, model: str, title: str) -> None:
    rating = make_rating(make_pair(make_test()))
    shown = staff.get(page(f"{model}_changelist")).content.decode()
    assert f"{title} (UTC)" in shown
    assert f'<span class="whitespace-nowrap">{rating.submitted_at:%Y-%m-%d}' in shown


def test_the_page_of_a_test_leads_to_its_dashboard(staff: Client) -> None:
    test = make_test()
    shown = staff.get(page("listeningtest_change", test.pk)).content.decode()
    assert reverse("dashboard:test_page", args=[test.slug]) in shown


def test_clips_are_played_by_ranges_and_by_staff_alone(staff: Client, client: Client) -> None:
    clip = make_pair(make_test()).clip
    address = page("clip_audio", clip.uuid, "rendition")
    assert address in staff.get(page("clip_changelist")).content.decode()
    whole = staff.get(address)
    assert (whole.status_code, whole.headers["Content-Type"]) == (200, "audio/wav")
    part = staff.get(address, headers={"range": "bytes=0-3"})
    assert (part.status_code, b"".join(part)) == (206, clip.rendition.read(4))  # type: ignore[arg-type]
    assert staff.get(page("clip_audio", clip.uuid, "original")).status_code == 200
    assert staff.get(page("clip_audio", uuid.uuid4(), "rendition")).status_code == 404
    assert staff.get(page("clip_audio", clip.uuid, "other")).status_code == 404
    assert client.get(address).status_code == 302


@pytest.mark.parametrize("kind", ["rendition", "original"])
def test_a_clip_whose_file_is_gone_is_not_found(staff: Client, kind: str, caplog: pytest.LogCaptureFixture) -> None:
    clip = make_pair(make_test()).clip
    stored = getattr(clip, kind)
    stored.storage.delete(stored.name)
    assert staff.get(page("clip_audio", clip.uuid, kind)).status_code == 404
    assert f"The file {stored.name} of Clip {clip.pk} is missing." in caplog.text


@pytest.mark.parametrize(("model", "most_queries"), LISTS.items())
def test_lists_ask_the_database_a_fixed_number_of_times(
    staff: Client, model: str, most_queries: int, django_assert_max_num_queries: object
) -> None:
    test = make_test()
    for role in [*sorted(set(PairRole) - {PairRole.REPEAT}), PairRole.STUDY, PairRole.STUDY]:
        make_rating(make_pair(test, role=role))
    for kind in (TestKind.COMPARISON, TestKind.SIDE_BY_SIDE):
        answer_all(make_test_of(kind), anything_in(kind))
    make_test()
    with django_assert_max_num_queries(most_queries):  # type: ignore[operator]
        assert staff.get(page(f"{model}_changelist")).status_code == 200


def test_a_list_of_ratings_does_not_count_them_all(staff: Client, django_assert_max_num_queries: object) -> None:
    make_rating(make_pair(make_test()))
    with django_assert_max_num_queries(LISTS["rating"]) as asked:  # type: ignore[operator]
        staff.get(page("rating_changelist"))
    assert not [query for query in asked.captured_queries if "COUNT(" in query["sql"]]


def test_captions_and_names_are_hostile_text(staff: Client) -> None:
    pair = make_pair(make_test())
    Pair.objects.filter(pk=pair.pk).update(system="<script>alert(1)</script>")
    type(pair.caption).objects.filter(pk=pair.caption_id).update(text="<img src=x onerror=alert(1)>")
    type(pair.clip).objects.filter(pk=pair.clip_id).update(name='"><script>alert(2)</script>.wav')
    make_rating(pair)
    for address in ("pair_changelist", "clip_changelist", "caption_changelist", "rating_changelist"):
        shown = staff.get(page(address)).content.decode()
        assert "<script>alert" not in shown
        assert "<img src=x" not in shown


def test_accounts_have_pages(staff: Client) -> None:
    for name in ("auth_user_changelist", "auth_user_add", "auth_group_changelist"):
        assert staff.get(reverse(f"admin:{name}")).status_code == 200
