"""The checklist beside Open: what a study should have, what of it is there, and where to see to the rest.

What stops a test from opening is said by test_status; here is also what only makes a study better or safer.
"""

from dataclasses import dataclass
from enum import Enum

from django.db.models import Count, Q

from listening_tests.choices import AuditedAction, PairRole, TestKind
from listening_tests.kinds import kind_of
from listening_tests.models import ListeningTest
from listening_tests.services.assignments import MOST_PRACTICE_PAIRS
from listening_tests.services.test_status import Shortcoming, test_shortcomings


class Need(Enum):
    """How much a thing is needed: nothing opens a test without what is ESSENTIAL; what is ADVISED can be passed by
    force; what is USEFUL stops nothing.
    """

    ESSENTIAL = "essential"
    ADVISED = "advised"
    USEFUL = "useful"


class Place(Enum):
    """Where a thing is seen to: on the test's page in the admin, at its clips, or with a tool of the set-up page."""

    TEXTS = "texts"
    CLIPS = "clips"
    ANCHORS = "anchors"
    PRACTICE = "practice"
    REPEATS = "repeats"
    PLAN = "plan"
    PILOT = "pilot"


@dataclass(frozen=True)
class ChecklistItem:
    """`sentence` says what is there, or what is missing and what to do."""

    title: str
    sentence: str
    is_done: bool
    need: Need
    place: Place


@dataclass(frozen=True)
class _Counts:
    study: int
    anchor: int
    gold: int
    practice: int
    practice_with_range: int


def checklist(*, test: ListeningTest) -> list[ChecklistItem]:
    """What is missing first by need, then what is there."""
    items = [_of_shortcoming(found) for found in test_shortcomings(test=test)]
    counts = _counts(test)
    items += [*_texts(test), *_study(test, counts), _practice(test, counts), *_useful(test, counts)]
    # A thing that the test status has a sentence for is not told twice.
    told = {item.title for item in items if not item.is_done and item.need is not Need.USEFUL}
    kept = [item for item in items if not (item.title in told and (item.is_done or item.need is Need.USEFUL))]
    return sorted(kept, key=lambda item: (item.is_done, list(Need).index(item.need)))


def _of_shortcoming(found: Shortcoming) -> ChecklistItem:
    title, place = next((told for words, told in _TITLES.items() if words in found.sentence), ("Sounds", Place.CLIPS))
    return ChecklistItem(
        title, found.sentence, is_done=False, need=Need.ESSENTIAL if found.essential else Need.ADVISED, place=place
    )


_TITLES = {
    "consent text": ("Consent text", Place.TEXTS),
    "no question": ("Question", Place.TEXTS),
    "contact address": ("Contact address", Place.TEXTS),
    "no instructions": ("Instructions", Place.TEXTS),
    "no practice": ("Practice", Place.PRACTICE),
    "no hidden anchor": ("Anchors", Place.ANCHORS),
}


def _texts(test: ListeningTest) -> list[ChecklistItem]:
    """Those that are there."""
    there = {
        "Consent text": (f"Version {test.consent_version}.", bool(test.consent_text.strip())),
        "Question": (f"{test.questions.count()} asked.", test.questions.exists()),
        "Contact address": (test.contact_email, bool(test.contact_email)),
        "Instructions": ("Written.", bool(test.instructions.strip())),
    }
    needs = {"Consent text": Need.ESSENTIAL, "Question": Need.ESSENTIAL}
    return [
        ChecklistItem(title, sentence, is_done=True, need=needs.get(title, Need.ADVISED), place=Place.TEXTS)
        for title, (sentence, is_there) in there.items()
        if is_there
    ]


def _study(test: ListeningTest, counts: _Counts) -> list[ChecklistItem]:
    """Where there are some; that there are none is a shortcoming."""
    if not counts.study:
        return []
    nouns = {TestKind.RATING: "pairs", TestKind.COMPARISON: "comparisons", TestKind.SIDE_BY_SIDE: "trials"}
    sentence = f"{counts.study:,} study {nouns[TestKind(test.kind)]}."
    return [ChecklistItem("Sounds", sentence, is_done=True, need=Need.ESSENTIAL, place=Place.CLIPS)]


def _practice(test: ListeningTest, counts: _Counts) -> ChecklistItem:
    """Spread over the scale, where practice can say what is expected."""
    is_spread = test.kind != TestKind.RATING or counts.practice_with_range >= min(3, MOST_PRACTICE_PAIRS)
    sentence = f"{counts.practice} for practice."
    if not is_spread:
        sentence = (
            f"{counts.practice} for practice, {counts.practice_with_range} of them with the scores that are expected. "
            "Three or more, spread over the scale, show raters how to use it: make them on the set-up page."
        )
    return ChecklistItem("Practice", sentence, counts.practice > 0 and is_spread, Need.USEFUL, Place.PRACTICE)


def _useful(test: ListeningTest, counts: _Counts) -> list[ChecklistItem]:
    n_traps = counts.anchor + counts.gold
    per_sitting = test.pairs_per_session * n_traps / max(1, counts.study + n_traps)
    anchors = f"{counts.anchor:,} anchors and {counts.gold:,} gold, about {per_sitting:.1f} of them in a sitting."
    if test.kind == TestKind.SIDE_BY_SIDE:
        anchors = "One is hidden in each trial when the test opens."
    elif not n_traps:
        anchors = (
            "There are none, so a rater who does not listen cannot be told from the others. "
            "Make anchors by mismatching captions on the set-up page."
        )
    is_paid = test.reward is not None
    cost = (
        "The reward is set."
        if is_paid
        else "Nothing says what a sitting costs. Look at the plan for raters, hours and cost."
    )
    items = [
        ChecklistItem(
            "Anchors", anchors, bool(n_traps) or test.kind == TestKind.SIDE_BY_SIDE, Need.USEFUL, Place.ANCHORS
        ),
        ChecklistItem("Cost estimate", cost, is_paid, Need.USEFUL, Place.PLAN),
        _code(test),
        _pilot(test),
    ]
    if test.kind == TestKind.RATING:
        items.append(_repeats(test))
    return items


def _code(test: ListeningTest) -> ChecklistItem:
    codes = {
        "complete": test.completion_code,
        "screened out": test.screened_out_code,
        "no consent": test.no_consent_code,
        "technical failure": test.technical_failure_code,
    }
    missing = [name for name, code in codes.items() if not code]
    sentence = "There is one for each way in which a sitting ends."
    if missing:
        sentence = f"There is none for: {', '.join(missing)}. The recruiter then cannot tell how these sittings ended."
    return ChecklistItem("Completion codes", sentence, not missing, Need.USEFUL, Place.TEXTS)


def _pilot(test: ListeningTest) -> ChecklistItem:
    # A pilot that was deleted again was one: deleting it is what is asked for.
    has_pilot = test.pilots.exists() or test.audit_entries.filter(action=AuditedAction.PILOTED).exists()
    sentence = "Done." if has_pilot else "Nobody has tried it yet. Look at the preview, and let simulated raters in."
    return ChecklistItem("Pilot", sentence, has_pilot, Need.USEFUL, Place.PILOT)


def _repeats(test: ListeningTest) -> ChecklistItem:
    n = test.repeats_per_session
    sentence = (
        f"{n} in a sitting."
        if n
        else "There are none, so nobody can tell how steady a rater is. One or two in a sitting are enough."
    )
    return ChecklistItem("Hidden repeats", sentence, n > 0, Need.USEFUL, Place.REPEATS)


def _counts(test: ListeningTest) -> _Counts:
    rows = kind_of(test).leased.model._default_manager.filter(test=test)
    counts = rows.aggregate(
        **{role.value: Count("pk", filter=Q(role=role)) for role in PairRole if role != PairRole.REPEAT}
    )
    with_range = Q(role=PairRole.PRACTICE, expected_min__isnull=False, expected_max__isnull=False)
    return _Counts(practice_with_range=test.pairs.filter(with_range).count(), **counts)
