"""The pay list as a page and as files: for accounts that may see who raters say they are, and told in the audit log."""

from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from listening_tests.choices import AuditedAction, Outcome, Role, SessionStatus
from listening_tests.models import AuditEntry, ListeningTest, RaterIdentity, RecruitedSitting, Session
from tests.factories import make_test
from tests.webapp.factories import make_member, make_session

STUDIES = ("6a1e0c3a9b7d2e4f6a8c0b1d", "6a1e0c3a9b7d2e4f6a8c0b1e")


def an_id(number: int) -> str:
    return f"{number:024x}"


def finish(test: ListeningTest, claimed: str, study: str = STUDIES[0]) -> Session:
    session = make_session(test)
    Session.objects.filter(pk=session.pk).update(
        status=SessionStatus.COMPLETE, outcome=Outcome.COMPLETE, saved_count=20
    )
    identity = RaterIdentity.objects.create(rater=session.rater, recruiter="prolific", claimed_id=claimed)
    RecruitedSitting.objects.create(session=session, identity=identity, study=study, submission=claimed)
    return session


def address(test: ListeningTest, name: str = "pay_page", *more: str) -> str:
    return reverse(f"dashboard:{name}", args=[test.slug, *more])


@pytest.fixture
def test(db: None) -> ListeningTest:
    return make_test(recruiter="prolific", reward=Decimal("1250.00"), screened_out_reward=Decimal("0.20"))


def test_it_works(staff: Client, test: ListeningTest) -> None:
    finish(test, an_id(1))
    finish(test, "<script>alert(1)</script>")

    text = staff.get(address(test)).text

    assert "<strong>2,500.00 GBP</strong> to pay, without the recruiter's fees" in text
    assert an_id(1) in text and "Rated 20 of 20 sounds." in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text and "<script>alert(1)" not in text
    assert "The id does not look like one of Prolific." in text
    assert f'{address(test, "pay_file", "approve-participants")}">Participants to approve (1)</a>' in text
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.detail, entry.username) == (AuditedAction.PAID, "looked at", "researcher")


def test_files(staff: Client, test: ListeningTest) -> None:
    finish(test, an_id(1))
    finish(test, an_id(2), STUDIES[1])

    everybody = staff.get(address(test, "pay_table"))
    approve = staff.get(address(test, "pay_file", "approve-participants"), {"study": STUDIES[1]})

    assert everybody.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert everybody.headers["Content-Disposition"] == f'attachment; filename="{test.slug}-pay.csv"'
    assert "no-store" in everybody.headers["Cache-Control"]
    assert len(everybody.text.splitlines()) == 3
    assert approve.text == f"{an_id(2)}\n"
    assert f"?study={STUDIES[1]}" in staff.get(address(test)).text
    told = list(AuditEntry.objects.order_by("pk").values_list("detail", flat=True))
    assert told == ["downloaded the table", "downloaded approve-participants", "looked at"]


def test_a_list_that_the_recruiter_does_not_take_is_not_there(staff: Client, test: ListeningTest) -> None:
    assert staff.get(address(test, "pay_file", "rejections")).status_code == 404
    test.recruiter = "plain"
    test.save()
    assert staff.get(address(test, "pay_file", "approve-participants")).status_code == 404
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("name", ["pay_page", "pay_table", "pay_file"])
def test_who_may_not_see_identities_sees_nothing_of_it(client: Client, test: ListeningTest, name: str) -> None:
    finish(test, an_id(1))
    url = address(test, name, *(["approve-participants"] if name == "pay_file" else []))
    assert client.get(url).status_code == 302
    client.force_login(make_member(test, Role.ASSISTANT, "assistant"))
    assert client.get(url).status_code == 200
    client.force_login(make_member(test, Role.ANALYST, "analyst"))
    assert client.get(url).status_code == 403
    client.force_login(make_member(make_test(), Role.OWNER, "stranger"))
    assert client.get(url).status_code == 404
    assert AuditEntry.objects.count() == 1


def test_an_analyst_finds_no_tab_and_no_id_on_the_tests_page(client: Client, test: ListeningTest) -> None:
    for _ in range(2):
        finish(test, an_id(1))
    client.force_login(make_member(test, Role.ANALYST))
    text = client.get(address(test, "test_page")).text
    assert address(test) not in text and an_id(1) not in text
    assert "1 id of the recruiter is claimed by more than one rater" in text


def test_the_tests_page_shows_what_prolific_is_given(staff: Client, test: ListeningTest) -> None:
    text = staff.get(address(test, "test_page")).text
    assert (
        f'value="http://testserver/t/{test.slug}/?PROLIFIC_PID={{{{%PROLIFIC_PID%}}}}&amp;'
        'STUDY_ID={{%STUDY_ID%}}&amp;SESSION_ID={{%SESSION_ID%}}"' in text
    )
    assert "study-url" not in staff.get(address(make_test(), "test_page")).text


def test_the_same_id_twice_is_told_above_the_list(staff: Client, test: ListeningTest) -> None:
    for _ in range(2):
        finish(test, an_id(1))
    page = staff.get(address(test), {"verdict": "look"})
    assert "1 id is claimed by more than one rater" in page.text
    assert [line.verdict for line in page.context["page"]] == ["look"]
    assert "Another 1,250.00 GBP if those to look at first are all paid." in page.text


def test_a_test_that_nobody_took_part_in(staff: Client) -> None:
    text = staff.get(address(make_test())).text
    assert "No sitting here yet." in text
    assert "The test names no reward" in text


def test_the_number_of_raters_does_not_change_the_number_of_queries(
    staff: Client, test: ListeningTest, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in (1, 5):
        for each in range(number):
            finish(test, an_id(100 * number + each))
        # Session and user; the test; the log; sittings, who is at work, what rules say of pay, who did not want to.
        with django_assert_num_queries(8):
            staff.get(address(test))
