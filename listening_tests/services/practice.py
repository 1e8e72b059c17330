"""Practice spread over the scale: a sound under its own caption, under half of it, and under that of something else.

The sounds are the test's own. What is used for practice under its own caption is no study pair any more.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from django.db import transaction

from listening_tests.choices import PairRole, TestKind
from listening_tests.models import Clip, ListeningTest, Pair, Question, Trial
from listening_tests.services.anchors import Mismatch, mismatched, mismatches
from listening_tests.services.captions import captions_store
from listening_tests.services.draft_locks import draft_lock, drawn
from listening_tests.services.trials import trials_make

# Where there are fewer study pairs, none of them is spent on practice.
LEAST_STUDY_PAIRS = 10
# Numbers of a proposal: each chooses others.
MOST_DRAWS = 999
ENOUGH = 3
N_TRIALS = 2
# Systems of these names are no systems: their clips are recordings, which fit their captions best.
_RECORDINGS = frozenset(
    {"", "audiocaps", "ground truth", "human", "natural", "original", "real", "recording", "reference"}
)


class Fit(Enum):
    """How well sound and caption fit; the share of the scale that is expected there."""

    MATCHED = (0.8, 1.0)
    MIXED = (0.3, 0.7)
    MISMATCHED = (0.0, 0.2)


@dataclass(frozen=True)
class PracticeProposal:
    """A sound and a caption for practice. `moved` are study pairs that become practice for it, `new` is what is made.

    In a test of trials `moved` are all the sounds of a caption, beside which the mismatched `new` stands.
    """

    fit: Fit
    clip: Clip
    caption: str
    expected: tuple[float, float] | None
    moved: tuple[Pair, ...] = ()
    new: Mismatch | None = None


def practice_plan(*, test: ListeningTest, draw: int = 0) -> list[PracticeProposal]:
    """What would be made; empty where the test has enough practice or too few sounds. The same whenever it is asked;
    another `draw` chooses others.
    """
    practice = test.pairs.filter(role=PairRole.PRACTICE)
    what = f"practice {draw}"
    if test.kind != TestKind.RATING:
        has_trials = Trial.objects.filter(test=test, role=PairRole.PRACTICE).exists()
        return [] if has_trials else _trials(test, what)
    n_told = practice.filter(expected_min__isnull=False, expected_max__isnull=False).count()
    question = test.questions.order_by("pk").first()
    if n_told >= ENOUGH or question is None:
        return []
    return _pairs(test, question, what)


@transaction.atomic
def practice_make(*, test: ListeningTest, draw: int = 0) -> int:
    """Makes what practice_plan shows for a draft; returns how much. A repeat makes nothing more.

    Raises Refused where the test is no draft any more.
    """
    test = draft_lock(test=test)
    plan = practice_plan(test=test, draw=draw)
    for proposal in plan:
        _move(test, proposal)
        if proposal.new is not None:
            _make(test, proposal, proposal.new)
    trials_make(test=test)
    return len(plan)


def _pairs(test: ListeningTest, question: Question, what: str) -> list[PracticeProposal]:
    own = _recordings_first(test, what)
    matched = [pair for pair in own[:2] if len(own) >= LEAST_STUDY_PAIRS]
    spent = {pair.clip_id for pair in matched} | {pair.caption_id for pair in matched}
    foreign = [
        found
        for found in mismatches(test=test, what=what)
        if found.sound.clip_id not in spent and found.words.caption_id not in spent
    ][:3]
    proposals = [
        PracticeProposal(Fit.MATCHED, pair.clip, pair.caption.text, _range(question, Fit.MATCHED), moved=(pair,))
        for pair in matched
    ]
    mixed = next((found for found in foreign if _can_be_joined(found)), None)
    if mixed is not None and len(foreign) > 1:
        foreign.remove(mixed)
        words = _joined(mixed.sound.caption.text, mixed.words.caption.text)
        proposals.append(PracticeProposal(Fit.MIXED, mixed.sound.clip, words, _range(question, Fit.MIXED), new=mixed))
    return proposals + [
        PracticeProposal(
            Fit.MISMATCHED, found.sound.clip, found.words.caption.text, _range(question, Fit.MISMATCHED), new=found
        )
        for found in foreign[:2]
    ]


def _trials(test: ListeningTest, what: str) -> list[PracticeProposal]:
    """Captions whose sounds are given to practice, each with a mismatched sound beside them."""
    found: list[PracticeProposal] = []
    n_captions = test.pairs.filter(role=PairRole.STUDY).values("caption").distinct().count()
    for mismatch in mismatches(test=test, what=what):
        if len(found) >= min(N_TRIALS, n_captions - LEAST_STUDY_PAIRS):
            break
        words = mismatch.words
        moved = tuple(test.pairs.filter(caption_id=words.caption_id, role=PairRole.STUDY).order_by("pk"))
        found.append(PracticeProposal(Fit.MISMATCHED, mismatch.sound.clip, words.caption.text, None, moved, mismatch))
    return found


def _recordings_first(test: ListeningTest, what: str) -> list[Pair]:
    pairs = test.pairs.filter(role=PairRole.STUDY).exclude(clip__rendition="").select_related("clip", "caption")

    def order(pair: Pair) -> tuple[bool, bool, bytes]:
        is_recording = pair.system.strip().lower() in _RECORDINGS
        return (pair.expected_max is None, not is_recording, drawn(test=test, what=what, key=pair.pk))

    return sorted(pairs, key=order)


def _range(question: Question, fit: Fit) -> tuple[float, float]:
    """On the scale of the question, at its steps."""
    low, high = (question.scale_min + share * (question.scale_max - question.scale_min) for share in fit.value)
    if question.is_continuous:
        return (low, high)
    values = question.values()
    return (_nearest(values, low), _nearest(values, high))


def _nearest(values: Iterable[float], value: float) -> float:
    return min(values, key=lambda one: abs(one - value))


def _can_be_joined(found: Mismatch) -> bool:
    """How two sentences become one is known of English."""
    return found.sound.caption.language == found.words.caption.language == "en"


def _joined(own: str, other: str) -> str:
    first, second = own.strip().rstrip(".!"), other.strip()
    return f"{first}, and then {second[:1].lower()}{second[1:]}"


def _move(test: ListeningTest, proposal: PracticeProposal) -> None:
    if not proposal.moved:
        return
    low, high = proposal.expected or (None, None)
    moved = Pair.objects.filter(pk__in=[pair.pk for pair in proposal.moved])
    caption_id = proposal.moved[0].caption_id
    Trial.objects.filter(test=test, caption_id=caption_id).delete()
    moved.update(role=PairRole.PRACTICE, expected_min=low, expected_max=high)


def _make(test: ListeningTest, proposal: PracticeProposal, mismatch: Mismatch) -> None:
    pair = mismatched(mismatch, PairRole.PRACTICE)
    if proposal.fit is Fit.MIXED:
        key = (proposal.caption, mismatch.words.caption.language)
        pair.caption_id = captions_store(keys={key})[key]
    if proposal.expected is not None:
        pair.expected_min, pair.expected_max = proposal.expected
    pair.save()
