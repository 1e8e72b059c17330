"""Who is to be paid for a test, with the reason for each. Reads only.

Pay and use are two verdicts: nothing here looks at whether ratings are used. It says who raters claim to be, so it is
for accounts that may do `Action.PAY`.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import NamedTuple
from uuid import UUID

from django.db.models import Count

from listening_tests.choices import CheckOutcome, Outcome, PayVerdict, SessionStatus
from listening_tests.models import ListeningTest, Session
from listening_tests.pay_flags import pay_flags
from listening_tests.recruiters import PLAIN, Payable, Recruiter, recruiter_named
from listening_tests.recruitment import places_taken

WITHDRAWN_PAID = (
    "Withdrew after the end, so who it was is erased: pay whoever gives the completion code and is not on this list."
)
SAME_ID = "Another rater of this test claims the same id."
ODD_ID = "The id does not look like one of {recruiter}."
OTHER_RECRUITER = "The link was not one of {recruiter}."
NO_ID = "The link said no id."


class _Sitting(NamedTuple):
    rater_id: int
    rater: UUID
    status: str
    outcome: str
    headphones: str
    saved: int
    planned: int
    started_at: datetime
    finished_at: datetime | None
    # None where the rater has no identity, or none any more.
    recruiter: str | None
    claimed_id: str | None
    study: str | None
    submission: str | None


# In the order of a _Sitting.
_PATHS = (
    *("rater_id", "rater__uuid", "status", "outcome", "headphones", "saved_count", "planned_count"),
    *("started_at", "finished_at", "rater__identity__recruiter", "rater__identity__claimed_id"),
    *("recruited__study", "recruited__submission"),
)


@dataclass(frozen=True)
class PayLine:
    """A sitting. `amount` is what its rater gets if they are paid, None where the test names no reward.

    `is_whole`: it is the reward of a whole sitting. Ids are empty where nothing is claimed or the rater withdrew.
    """

    rater_id: int
    rater: UUID
    recruiter: str
    claimed_id: str
    study: str
    submission: str
    ended: str
    verdict: PayVerdict
    reason: str
    notes: tuple[str, ...]
    amount: Decimal | None
    is_whole: bool
    saved: int
    planned: int
    started_at: datetime
    finished_at: datetime | None

    @property
    def short_rater(self) -> str:
        return str(self.rater)[:8]


@dataclass(frozen=True)
class PayList:
    """The sittings of a test in the order in which they began; `n_declined` did not want to take part."""

    test: ListeningTest
    recruiter: Recruiter
    lines: list[PayLine]
    n_declined: int

    @cached_property
    def counts(self) -> Counter[PayVerdict]:
        return Counter(line.verdict for line in self.lines)

    @cached_property
    def n_same_ids(self) -> int:
        """How many ids are claimed on more than one line."""
        claims = Counter((line.recruiter, line.claimed_id) for line in self.lines if line.claimed_id)
        return sum(n > 1 for n in claims.values())

    @cached_property
    def endings(self) -> Counter[str]:
        return Counter(line.ended for line in self.lines)

    @cached_property
    def studies(self) -> list[str]:
        """The recruiter's numbers of studies among those who are to be paid; one that is empty where none is said."""
        return sorted({line.study for line in self.lines if line.verdict == PayVerdict.PAY and line.claimed_id})

    def total(self, verdict: PayVerdict) -> Decimal:
        """What those of this verdict get or would get, without the recruiter's fees."""
        return sum((line.amount or Decimal(0) for line in self.lines if line.verdict == verdict), Decimal(0))

    def payables(self, study: str | None = None) -> list[Payable]:
        """Who is to be paid through the recruiter, of one study or of all."""
        return [
            Payable(line.claimed_id, line.study, line.submission, line.amount, line.is_whole)
            for line in self.lines
            if line.verdict == PayVerdict.PAY
            and line.claimed_id
            and line.recruiter == self.recruiter.name
            and study in (None, line.study)
        ]


def pay_list(*, test: ListeningTest) -> PayList:
    recruiter = recruiter_named(test.recruiter)
    sittings = Session.objects.filter(test=test).order_by("pk").values_list(*_PATHS)
    at_work = set(places_taken(test=test).filter(status=SessionStatus.ACTIVE).values_list("rater_id", flat=True))
    flags = pay_flags(test)
    lines = [_line(test, recruiter, _Sitting(*row), at_work) for row in sittings]
    lines = _with_same_ids_told([_flagged(line, flags) for line in lines])
    return PayList(test=test, recruiter=recruiter, lines=lines, n_declined=test.declined.count())


def n_same_ids(*, test: ListeningTest) -> int:
    """How many ids are claimed by more than one rater of the test. Tells no id, so it is for every account."""
    claims = Session.objects.filter(test=test, rater__identity__isnull=False).order_by()
    by_id = claims.values("rater__identity__recruiter", "rater__identity__claimed_id")
    return by_id.annotate(n=Count("rater", distinct=True)).filter(n__gt=1).count()


def _line(test: ListeningTest, recruiter: Recruiter, sitting: _Sitting, at_work: set[int]) -> PayLine:
    ended, verdict, reason = _judged(test, sitting, is_at_work=sitting.rater_id in at_work)
    is_screened = sitting.outcome == Outcome.SCREENED_OUT
    return PayLine(
        rater_id=sitting.rater_id,
        rater=sitting.rater,
        recruiter=sitting.recruiter or "",
        claimed_id=sitting.claimed_id or "",
        study=sitting.study or "",
        submission=sitting.submission or "",
        ended=ended,
        verdict=verdict,
        reason=reason,
        notes=_notes(recruiter, sitting),
        amount=test.screened_out_reward if is_screened else test.reward,
        is_whole=not is_screened,
        saved=sitting.saved,
        planned=max(sitting.planned, sitting.saved),
        started_at=sitting.started_at,
        finished_at=sitting.finished_at,
    )


def _judged(test: ListeningTest, sitting: _Sitting, *, is_at_work: bool) -> tuple[str, PayVerdict, str]:
    """How it ended, the verdict and its reason."""
    done = f"{sitting.saved:,} of {max(sitting.planned, sitting.saved):,}"
    match sitting.status:
        case SessionStatus.COMPLETE:
            return "Complete", PayVerdict.PAY, f"Rated {done} sounds."
        case SessionStatus.CUT_SHORT if sitting.outcome == Outcome.TECHNICAL_FAILURE:
            return "Technical failure", PayVerdict.PAY, f"The sounds would not play after {done}: no fault of theirs."
        case SessionStatus.CUT_SHORT:
            reason = f"The platform had no more sounds after {done}, which counts as complete."
            return "Cut short by the platform", PayVerdict.PAY, reason
        case SessionStatus.SCREENED:
            return "Screened out", *_judged_screened(test, sitting)
        case SessionStatus.WITHDRAWN if sitting.outcome in {Outcome.COMPLETE, Outcome.TECHNICAL_FAILURE}:
            return "Withdrew after the end", PayVerdict.PAY, WITHDRAWN_PAID
        case SessionStatus.WITHDRAWN:
            return "Withdrew", PayVerdict.NO, "Withdrew before the end."
        case _ if is_at_work:
            return "At work", PayVerdict.NOT_YET, f"Has rated {done} sounds so far."
        case _:
            return "Left", PayVerdict.NOT_YET, f"Left after {done} sounds, and may come back."


def _judged_screened(test: ListeningTest, sitting: _Sitting) -> tuple[PayVerdict, str]:
    check = "headphone check" if sitting.headphones == CheckOutcome.FAILED else "comprehension check"
    if test.screened_out_reward:
        return PayVerdict.PAY, f"Ended by the {check}: paid for the time it took."
    return PayVerdict.NO, f"Ended by the {check}, and asked to return the study. Never reject for that."


def _notes(recruiter: Recruiter, sitting: _Sitting) -> tuple[str, ...]:
    """What to know of who they say they are."""
    if sitting.status == SessionStatus.WITHDRAWN:
        return ()
    if not sitting.claimed_id:
        return (NO_ID,) if recruiter.name != PLAIN else ()
    if sitting.recruiter != recruiter.name:
        return (OTHER_RECRUITER.format(recruiter=recruiter.label),) if recruiter.name != PLAIN else ()
    return () if recruiter.looks_right(sitting.claimed_id) else (ODD_ID.format(recruiter=recruiter.label),)


def _flagged(line: PayLine, flags: Mapping[int, str]) -> PayLine:
    sentence = flags.get(line.rater_id)
    if sentence is None or line.verdict != PayVerdict.PAY:
        return line
    return replace(line, verdict=PayVerdict.LOOK, reason=f"{line.reason} {sentence}")


def _with_same_ids_told(lines: list[PayLine]) -> list[PayLine]:
    """Of several who claim the same id the first that is to be paid stays so, and the others are to be looked at."""
    counts = Counter((line.recruiter, line.claimed_id) for line in lines if line.claimed_id)
    paid: set[tuple[str, str]] = set()
    told = []
    for line in lines:
        key = (line.recruiter, line.claimed_id)
        if counts[key] > 1:
            is_second = line.verdict == PayVerdict.PAY and key in paid
            if line.verdict == PayVerdict.PAY:
                paid.add(key)
            verdict = PayVerdict.LOOK if is_second else line.verdict
            line = replace(line, verdict=verdict, notes=(*line.notes, SAME_ID))
        told.append(line)
    return told
