"""The pages on which a test is set up, piloted and planned."""

from typing import Any
from unittest import mock
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from listening_tests.choices import AuditedAction, PairRole, PilotStatus, Role, TestKind, TestStatus
from listening_tests.models import AuditEntry, ListeningTest, Pilot
from listening_tests.services.pilots import pilot_make
from tests.factories import make_caption, make_pair, make_pairs, make_test
from tests.sittings import answer_all, anything_in, make_test_of
from tests.webapp.factories import make_member
from worker import services_pilots

pytestmark = pytest.mark.django_db
PAGES = ("set_up", "plan", "test_anchors", "test_practice", "test_balance", "pilots_live")


@pytest.fixture(autouse=True)
def published() -> Any:
    """What would go to the queue."""
    with mock.patch.object(services_pilots, "pilot_enqueue") as enqueue:
        yield enqueue


def address(name: str, test: ListeningTest, *more: str) -> str:
    return reverse(f"dashboard:{name}", args=[test.slug, *more])


def make_draft(**fields: object) -> ListeningTest:
    test = make_test(**{"slug": "mine", "title": "Mine", "status": TestStatus.DRAFT} | fields)
    for number in range(12):
        caption = make_caption(f"<b>Sound</b> number {number}.")
        for system in ("one", "two"):
            make_pair(test, caption=caption, system=system, source_id=f"source {number}")
    return test


def test_a_test_is_set_up_on_one_page(staff: Client) -> None:
    test = make_draft()
    page = staff.get(address("set_up", test)).content.decode()
    assert "It has no contact address" in page
    assert 'href="/preview/mine/"' in page
    assert "Open all the same" in page

    anchors = staff.get(address("test_anchors", test), {"n": 3}).content.decode()
    assert "3 anchors would be made" in anchors
    assert "&lt;b&gt;Sound&lt;/b&gt; number" in anchors and "<b>Sound" not in anchors
    told = staff.post(address("test_anchors", test), {"n": 3}, follow=True).content.decode()
    assert "3 anchors were made." in told
    staff.post(address("test_anchors", test), {"n": 3})
    assert test.pairs.filter(role=PairRole.ANCHOR).count() == 3

    assert "5 for practice would be made" in staff.get(address("test_practice", test)).content.decode()
    assert "5 practice pairs were made." in staff.post(address("test_practice", test), follow=True).content.decode()
    staff.post(address("test_repeats", test), {"repeats_per_session": 2})
    test.refresh_from_db()
    assert test.repeats_per_session == 2
    assert "Every caption has a sound of each system." not in staff.get(address("test_balance", test)).content.decode()
    staff.post(address("test_balance", test))

    opened = staff.post(address("test_status", test, "open"), {"force": "1"}, follow=True).content.decode()
    assert "“Mine” is open. Raters can come." in opened
    assert "This test was opened, so its address cannot change" in opened
    staff.post(address("test_status", test, "open"), {"force": "1"})
    staff.post(address("test_status", test, "pause"))
    staff.post(address("test_status", test, "close"))
    actions = list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))
    assert actions.count(AuditedAction.OPENED) == 1
    assert actions[-2:] == [AuditedAction.PAUSED, AuditedAction.CLOSED]


def test_a_pilot_is_begun_watched_and_deleted(staff: Client, published: Any) -> None:
    test, uuid = make_draft(), uuid4()
    sent = {"uuid": str(uuid), "n_raters": 4, "n_careless": 1}
    for _ in range(2):
        page = staff.post(address("pilot_start", test), sent, follow=True).content.decode()
    assert "0 of 4 raters done, 1 of them careless" in page
    assert 'hx-trigger="every 2s"' in page
    copy = Pilot.objects.get().test
    assert (
        'Pilot of Mine</a> <span class="badge simulated">' in staff.get(address("pilots_live", test)).content.decode()
    )

    staff.post(address("pilot_cancel", copy))
    assert Pilot.objects.get().status == PilotStatus.CANCELLED
    assert "hx-trigger" not in staff.get(address("pilots_live", test)).content.decode()
    notice = staff.get(address("test_page", copy)).content.decode()
    assert "This is a pilot of" in notice and "Its raters are simulated" in notice
    assert "Retrain" not in notice
    assert "mine-pilot" not in staff.get(reverse("dashboard:test_list")).content.decode()

    for _ in range(2):
        staff.post(address("pilot_delete", copy))
    assert list(ListeningTest.objects.all()) == [test]
    details = AuditEntry.objects.filter(action=AuditedAction.PILOTED).order_by("pk").values_list("detail", flat=True)
    assert list(details) == ["4 simulated raters, 1 of them careless.", "Deleted the pilot mine-pilot."]
    # It was tried, and its being gone is as it should be.
    assert "Nobody has tried it yet" not in staff.get(address("set_up", test)).content.decode()


def test_a_copy_is_made_once(staff: Client) -> None:
    test, uuid = make_draft(), uuid4()
    for _ in range(2):
        answer = staff.post(address("test_clone", test), {"uuid": str(uuid), "title": "Other", "slug": "other"})
        assert (answer.status_code, answer["Location"]) == (303, "/dashboard/tests/other/set-up/")
    assert ListeningTest.objects.count() == 2
    assert AuditEntry.objects.get().detail == "As a copy of mine."


def test_dates_are_kept_and_bad_ones_are_refused(staff: Client) -> None:
    test = make_draft()
    staff.post(address("test_dates", test), {"opens_at": "2030-01-01T10:00", "closes_at": "2030-02-01T10:00"})
    test.refresh_from_db()
    assert f"{test.opens_at:%Y-%m-%d %H:%M %Z} {test.closes_at:%Y-%m-%d}" == "2030-01-01 10:00 UTC 2030-02-01"
    page = staff.get(address("set_up", test)).content.decode()
    assert 'value="2030-01-01T10:00"' in page
    bad = staff.post(address("test_dates", test), {"opens_at": "2030-03-01T10:00", "closes_at": "2030-02-01T10:00"})
    assert bad.status_code == 422
    assert "The test would close before it opens." in bad.content.decode()
    test.refresh_from_db()
    assert test.opens_at is not None and test.opens_at.month == 1


@pytest.mark.parametrize(
    ("name", "sent", "sentence"),
    [
        ("pilot_start", {"n_raters": 0, "n_careless": 0, "uuid": str(uuid4())}, "Ensure this value is greater than"),
        ("test_clone", {"uuid": str(uuid4()), "slug": "a b"}, "Enter a valid “slug”"),
        ("test_clone", {"uuid": str(uuid4()), "slug": "mine"}, "There is a test at the address mine already."),
        ("test_repeats", {"repeats_per_session": 21}, "Ensure this value is less than or equal to 20."),
        ("test_dates", {"opens_at": "soon"}, "Enter a valid date/time."),
    ],
)
def test_what_makes_no_sense_is_refused_on_the_page(
    staff: Client, name: str, sent: dict[str, object], sentence: str
) -> None:
    test = make_draft()
    answer = staff.post(address(name, test), sent)
    assert answer.status_code in {409, 422}
    assert sentence in answer.content.decode()
    assert ListeningTest.objects.count() == 1


@pytest.mark.parametrize("kind", TestKind.values)
def test_every_kind_has_its_pages_in_a_fixed_number_of_queries(
    staff: Client, kind: str, django_assert_max_num_queries: Any
) -> None:
    test = make_test_of(kind, status=TestStatus.DRAFT)
    for _ in range(3):
        pilot_make(test=test, n_raters=1)
    for name, most in (("set_up", 60), ("plan", 20), ("pilots_live", 8)):
        with django_assert_max_num_queries(most):
            assert staff.get(address(name, test)).status_code == 200


def test_the_plan_is_fitted_once_there_are_ratings(staff: Client) -> None:
    test = make_test(ratings_per_pair=5, pairs_per_session=20)
    make_pairs(test, 20)
    page = staff.get(address("plan", test), {"reward": "1.50", "currency": "GBP", "fee": "20", "spare": "0"})
    html = page.content.decode()
    assert "that of RELATE" in html and "Cost (GBP)" in html
    # 5 ratings of 20 pairs are 5 sittings: 5 * 1.50 * 1.2.
    assert ">9.00<" in html.replace(" ", "")
    for _ in range(3):
        answer_all(test, lambda question, lease: (float(lease.leased.pk % 11),))
    assert "fitted to this test's own 60 ratings" in staff.get(address("plan", test)).content.decode()
    bad = staff.get(address("plan", test), {"reward": "much"})
    assert (bad.status_code, "Enter a number." in bad.content.decode()) == (422, True)


@pytest.mark.parametrize(("role", "expected"), [(None, 404), (Role.ANALYST, 403), (Role.ASSISTANT, 200)])
def test_who_may_not_set_up_finds_nothing(client: Client, role: Role | None, expected: int) -> None:
    test = make_draft()
    client.force_login(make_member(test if role else make_test(), role or Role.OWNER))
    for name in PAGES:
        status = client.get(address(name, test), {"n": 2}).status_code
        assert status == (200 if name == "plan" and role else expected)
    for name in ("test_clone", "test_dates", "test_repeats", "test_anchors", "pilot_start", "pilot_cancel"):
        status = client.post(address(name, test), {"n": 2}).status_code
        # What an assistant sends is answered by the tool, be it with a refusal.
        assert status != 403 if role == Role.ASSISTANT else status == expected
    if role != Role.ASSISTANT:
        assert client.post(address("test_status", test, "open"), {"force": "1"}).status_code == expected
        test.refresh_from_db()
        assert test.status == TestStatus.DRAFT and not AuditEntry.objects.exists()


def test_get_changes_nothing(staff: Client) -> None:
    test = make_draft()
    for name in ("test_clone", "test_dates", "test_repeats", "pilot_start", "pilot_cancel", "pilot_delete"):
        assert staff.get(address(name, test)).status_code == 405
    assert ListeningTest.objects.count() == 1


def test_an_answered_test_says_what_stays(staff: Client) -> None:
    test = make_test()
    make_pairs(test, 2)
    answer_all(test, anything_in(TestKind.RATING))
    page = staff.get(address("set_up", test)).content.decode()
    assert "Raters have finished with this code, so it cannot change" in page
    assert "for drafts: this test is open" in page
