"""Who is to be paid, and why."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from listening_tests import pay
from listening_tests.choices import CheckOutcome, Outcome, PayVerdict, SessionStatus
from listening_tests.models import (
    Assignment,
    Consent,
    Declined,
    ListeningTest,
    Rater,
    RaterIdentity,
    RecruitedSitting,
    Session,
)
from listening_tests.pay import NO_ID, ODD_ID, OTHER_RECRUITER, SAME_ID, WITHDRAWN_PAID, PayLine, n_same_ids, pay_list
from listening_tests.pay_files import COLUMNS, pay_file, pay_table
from tests.factories import make_pair, make_test

pytestmark = pytest.mark.django_db
Sit = Callable[..., Session]
PAY, LOOK, NOT_YET, NO = PayVerdict.PAY, PayVerdict.LOOK, PayVerdict.NOT_YET, PayVerdict.NO


def an_id(number: int) -> str:
    return f"{number:024x}"


@pytest.fixture
def test() -> ListeningTest:
    return make_test(recruiter="prolific", reward=Decimal("2.50"))


@pytest.fixture
def sit(test: ListeningTest) -> Sit:
    """Makes a sitting that ended as it is told; `claimed` is what its link said."""

    def make(claimed: str = "", *, recruiter: str = "prolific", study: str = "", **fields: object) -> Session:
        rater = Rater.objects.create()
        consent = Consent.objects.create(rater=rater, test=test, version=1)
        values = {"status": SessionStatus.COMPLETE, "outcome": Outcome.COMPLETE, "saved_count": 20} | fields
        session = Session.objects.create(test=test, rater=rater, consent=consent, planned_count=20, **values)
        if claimed:
            identity = RaterIdentity.objects.create(rater=rater, recruiter=recruiter, claimed_id=claimed)
            RecruitedSitting.objects.create(session=session, identity=identity, study=study, submission=claimed[::-1])
        return session

    return make


def only_line(test: ListeningTest) -> PayLine:
    (line,) = pay_list(test=test).lines
    return line


def test_it_works(test: ListeningTest, sit: Sit) -> None:
    session = sit(an_id(1), study=an_id(9))
    Declined.objects.create(test=test, form=session.rater.uuid)

    listed = pay_list(test=test)

    (line,) = listed.lines
    assert (line.rater, line.claimed_id, line.study) == (session.rater.uuid, an_id(1), an_id(9))
    assert (line.ended, line.verdict, line.reason, line.notes) == ("Complete", PAY, "Rated 20 of 20 sounds.", ())
    assert (line.amount, listed.total(PAY), listed.n_declined) == (Decimal("2.50"), Decimal("2.50"), 1)
    assert pay_file(listed, name="approve-participants", study=None) == f"{an_id(1)}\n"
    assert pay_file(listed, name="approve-submissions", study=an_id(9)) == f"{an_id(1)[::-1]}\n"
    assert pay_file(listed, name="approve-participants", study="another") == ""


CUT = {"status": SessionStatus.CUT_SHORT, "saved_count": 7}
SCREENED = {"status": SessionStatus.SCREENED, "outcome": Outcome.SCREENED_OUT, "saved_count": 0}
WITHDRAWN = {"status": SessionStatus.WITHDRAWN}


@pytest.mark.parametrize(
    ("fields", "ended", "verdict", "reason"),
    [
        (
            CUT,
            "Cut short by the platform",
            PAY,
            "The platform had no more sounds after 7 of 20, which counts as complete.",
        ),
        (
            CUT | {"outcome": Outcome.TECHNICAL_FAILURE},
            "Technical failure",
            PAY,
            "The sounds would not play after 7 of 20: no fault of theirs.",
        ),
        (
            SCREENED,
            "Screened out",
            NO,
            "Ended by the comprehension check, and asked to return the study. Never reject for that.",
        ),
        (
            SCREENED | {"headphone_check": "huggins", "headphones": CheckOutcome.FAILED, "headphones_right": 1},
            "Screened out",
            NO,
            "Ended by the headphone check, and asked to return the study. Never reject for that.",
        ),
        (WITHDRAWN, "Withdrew after the end", PAY, WITHDRAWN_PAID),
        (WITHDRAWN | {"outcome": "", "saved_count": 3}, "Withdrew", NO, "Withdrew before the end."),
        (
            {"status": SessionStatus.ACTIVE, "outcome": "", "saved_count": 3},
            "Left",
            NOT_YET,
            "Left after 3 of 20 sounds, and may come back.",
        ),
    ],
)
def test_every_ending_has_its_verdict_and_its_reason(
    test: ListeningTest, sit: Sit, fields: dict[str, object], ended: str, verdict: PayVerdict, reason: str
) -> None:
    sit("" if fields.get("status") == SessionStatus.WITHDRAWN else an_id(1), **fields)
    line = only_line(test)
    assert (line.ended, line.verdict, line.reason, line.notes) == (ended, verdict, reason, ())


def test_who_is_at_work_is_not_paid_yet(test: ListeningTest, sit: Sit) -> None:
    session = sit(an_id(1), status=SessionStatus.ACTIVE, outcome="", saved_count=3)
    now = timezone.now()
    expires = now + timedelta(minutes=30)
    Assignment.objects.create(
        session=session,
        rater=session.rater,
        pair=make_pair(test),
        position=1,
        propensity=1,
        leased_at=now,
        lease_expires_at=expires,
    )
    line = only_line(test)
    assert (line.ended, line.verdict, line.reason) == ("At work", NOT_YET, "Has rated 3 of 20 sounds so far.")
    assert pay_list(test=test).total(PAY) == 0


def test_who_is_screened_out_gets_what_the_test_says(test: ListeningTest, sit: Sit) -> None:
    test.screened_out_reward = Decimal("0.20")
    sit(an_id(1), **SCREENED)
    listed = pay_list(test=test)
    (line,) = listed.lines
    assert (line.verdict, line.reason) == (PAY, "Ended by the comprehension check: paid for the time it took.")
    assert listed.total(PAY) == Decimal("0.20")
    assert pay_file(listed, name="approve-participants", study=None) == ""
    assert pay_file(listed, name="bonuses", study=None) == f"{an_id(1)},0.20\n"


def test_the_same_id_twice_is_paid_once_and_pointed_out(test: ListeningTest, sit: Sit) -> None:
    sit(an_id(1), status=SessionStatus.ACTIVE, outcome="")
    sit(an_id(1))
    sit(an_id(1))
    sit(an_id(2))
    listed = pay_list(test=test)
    assert [line.verdict for line in listed.lines] == [NOT_YET, PAY, LOOK, PAY]
    assert [SAME_ID in line.notes for line in listed.lines] == [True, True, True, False]
    assert pay_file(listed, name="approve-participants", study=None) == f"{an_id(1)}\n{an_id(2)}\n"
    assert listed.total(LOOK) == Decimal("2.50")
    assert n_same_ids(test=test) == 1


@pytest.mark.parametrize(
    ("claimed", "recruiter", "note"),
    [
        ("", "prolific", NO_ID),
        ("ann", "prolific", ODD_ID.format(recruiter="Prolific")),
        ("A1B2", "mturk", OTHER_RECRUITER.format(recruiter="Prolific")),
    ],
)
def test_what_is_odd_of_an_id_is_noted_and_stays_off_the_lists(
    test: ListeningTest, sit: Sit, claimed: str, recruiter: str, note: str
) -> None:
    sit(claimed, recruiter=recruiter)
    listed = pay_list(test=test)
    assert (listed.lines[0].verdict, listed.lines[0].notes) == (PAY, (note,))
    assert [pay_file(listed, name=file.name, study=None) for file in listed.recruiter.pay_files] == ["", "", ""]


def test_a_rule_may_have_somebody_look_first(test: ListeningTest, sit: Sit, monkeypatch: pytest.MonkeyPatch) -> None:
    flagged, screened = sit(an_id(1)), sit(an_id(2), **SCREENED)
    told = "Failed the trap."
    monkeypatch.setattr(pay, "pay_flags", lambda test: {flagged.rater_id: told, screened.rater_id: told})
    first, second = pay_list(test=test).lines
    assert (first.verdict, first.reason) == (LOOK, "Rated 20 of 20 sounds. Failed the trap.")
    assert second.verdict == NO and told not in second.reason


def test_the_table_says_all_of_it_and_no_cell_runs(test: ListeningTest, sit: Sit) -> None:
    session = sit("=cmd()", study="@x")
    header, row = pay_table(pay_list(test=test)).splitlines()
    assert header == ",".join(COLUMNS)
    assert row.startswith(
        f"{session.rater.uuid},prolific,'=cmd(),'@x,)(dmc=,Complete,Pay,Rated 20 of 20 sounds.,"
        "The id does not look like one of Prolific.,2.50,GBP,20,20,"
    )


def test_without_a_reward_nothing_is_added_up(test: ListeningTest, sit: Sit) -> None:
    test.reward = None
    sit(an_id(1))
    assert only_line(test).amount is None
    assert pay_list(test=test).total(PAY) == 0


def test_the_number_of_raters_does_not_change_the_number_of_queries(
    test: ListeningTest, sit: Sit, django_assert_num_queries: Callable
) -> None:
    for number in (1, 5):
        for each in range(number):
            sit(an_id(100 * number + each), study=an_id(each))
        # Sittings; who is at work; who did not want to; who failed a rule that counts for pay.
        with django_assert_num_queries(4):
            pay_list(test=test)
