"""The way of a test: draft, open, paused and open again, closed. What must be there before raters come."""

from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count
from django.utils import timezone

from listening_tests.choices import PairRole, TestKind, TestStatus
from listening_tests.exceptions import Refused
from listening_tests.kinds import kind_of
from listening_tests.models import ListeningTest, TrialPair
from listening_tests.services.trials import anchors_complete, n_without_anchor

# What a session shows, and how to come by it.
_NOUNS = {TestKind.RATING: "pair", TestKind.COMPARISON: "comparison", TestKind.SIDE_BY_SIDE: "trial"}
_NOTHING_TO_RATE = {
    TestKind.RATING: "It has no study pairs. Import some with import_clips, or upload a manifest on its page.",
    TestKind.COMPARISON: (
        "It has no two study pairs of one caption to compare. Import clips of several systems for the same caption."
    ),
    TestKind.SIDE_BY_SIDE: (
        "It has no study pairs to rate side by side. Import clips of several systems for the same caption."
    ),
}
_PRACTICE_ADVICE = {
    TestKind.RATING: "Import one with the role practice.",
    TestKind.COMPARISON: "Import two of one caption with the role practice.",
    TestKind.SIDE_BY_SIDE: "Import two or more of one caption with the role practice.",
}
# ITU-R BS.1534: more than twelve sounds at once are too many to judge.
MOST_SOUNDS_AT_ONCE = 12


@dataclass(frozen=True)
class Shortcoming:
    """What a test lacks, as a sentence. Where it is `essential`, nothing opens the test without it."""

    sentence: str
    essential: bool


class NotReady(Refused):
    """A test that is not opened, and why: `shortcomings`."""

    def __init__(self, test: ListeningTest, shortcomings: list[Shortcoming]) -> None:
        self.shortcomings = shortcomings
        lines = [f"The test {test.slug} was not opened:", *(f"- {found.sentence}" for found in shortcomings)]
        super().__init__("\n".join(lines))

    @property
    def can_be_forced(self) -> bool:
        return not any(found.essential for found in self.shortcomings)


def test_shortcomings(*, test: ListeningTest) -> list[Shortcoming]:
    """What the checklist before opening finds; essential things first, empty where all is there."""
    leased = kind_of(test).leased.model.objects.filter(test=test)
    study = leased.filter(role=PairRole.STUDY).count()
    practice = leased.filter(role=PairRole.PRACTICE).exists()
    noun = _NOUNS[TestKind(test.kind)]
    essential = {
        _NOTHING_TO_RATE[TestKind(test.kind)]: study == 0,
        "It has no question. Add one on its page.": not test.questions.exists(),
        "It has no consent text for raters to agree to. Write one on its page.": not test.consent_text.strip(),
    }
    advised = {
        f"It has {study:,} study {noun}s, and a session shows {test.pairs_per_session:,}. "
        f"Import more, or ask for fewer {noun}s a session.": 0 < study < test.pairs_per_session,
        f"It has no practice {noun}, so the first score of each rater counts at once. "
        f"{_PRACTICE_ADVICE[TestKind(test.kind)]}": not practice,
        "It has no contact address, so a rater with a problem can reach nobody. "
        "Write one on its page.": not test.contact_email,
        "It has no instructions. Say on its page what raters shall do.": not test.instructions.strip(),
        **_advice_on_trials(test),
    }
    return [
        Shortcoming(sentence, is_essential)
        for checks, is_essential in ((essential, True), (advised, False))
        for sentence, is_missing in checks.items()
        if is_missing
    ]


def _advice_on_trials(test: ListeningTest) -> dict[str, bool]:
    """What makes trials say less than they could; by its sentence whether it is so."""
    if test.kind == TestKind.COMPARISON:
        n_alone = _captions_with_one_sound(test)
        return {
            f"{_counted(n_alone, 'caption')} of it {_have(n_alone)} one study sound only, which is compared with "
            "nothing. Import the clips of further systems for the same caption.": n_alone > 0
        }
    if test.kind == TestKind.SIDE_BY_SIDE:
        return _advice_side_by_side(test)
    return {}


def _advice_side_by_side(test: ListeningTest) -> dict[str, bool]:
    n_alone, n_crowded = _captions_with_one_sound(test), _n_crowded(test)
    n_bare = n_without_anchor(test=test)
    return {
        f"{_counted(n_alone, 'trial')} of it {_have(n_alone)} one study sound only, with nothing beside it but an "
        "anchor. Import the clips of further systems for the same caption.": n_alone > 0,
        f"{_counted(n_bare, 'trial')} of it {_have(n_bare)} no hidden anchor, for no clip of another caption and "
        "another source can be hidden there. Import more captions, or a row with the role anchor.": n_bare > 0,
        f"{_counted(n_crowded, 'trial')} of it {_have(n_crowded)} more than {MOST_SOUNDS_AT_ONCE} sounds, which are "
        "many to hear side by side. Put some of the systems into another test.": n_crowded > 0,
    }


def _captions_with_one_sound(test: ListeningTest) -> int:
    study = test.pairs.filter(role=PairRole.STUDY).order_by()
    return study.values("caption").annotate(n=Count("pk")).filter(n=1).count()


def _n_crowded(test: ListeningTest) -> int:
    members = TrialPair.objects.filter(trial__test=test).order_by()
    return members.values("trial").annotate(n=Count("pk")).filter(n__gt=MOST_SOUNDS_AT_ONCE).count()


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _have(count: int) -> str:
    return "has" if count == 1 else "have"


@transaction.atomic
def test_open(*, test: ListeningTest, force: bool = False) -> ListeningTest:
    """Lets raters in, for the first time or after a pause. `force` passes what is not essential.

    A test that is open stays open. Raises NotReady where something is missing, Refused where the test is closed.
    """
    test = _locked(test)
    if test.status == TestStatus.OPEN:
        return test
    _refuse_closed(test)
    found = test_shortcomings(test=test)
    if any(shortcoming.essential or not force for shortcoming in found):
        raise NotReady(test, found)
    anchors_complete(test=test)
    test.opened_at = test.opened_at or timezone.now()
    # Whatever date was waited for, it is open.
    test.opens_at, test.opening_refused = None, ""
    return _set(test, TestStatus.OPEN)


@transaction.atomic
def test_pause(*, test: ListeningTest) -> ListeningTest:
    """Stops giving out pairs until the test is opened again; what raters send is still stored. Raises Refused."""
    test = _locked(test)
    _refuse_closed(test)
    if test.status == TestStatus.DRAFT:
        raise Refused(f"The test {test.slug} is a draft, which no rater can see. There is nothing to pause.")
    return _set(test, TestStatus.PAUSED)


@transaction.atomic
def test_close(*, test: ListeningTest) -> ListeningTest:
    """Ends a test for good; ratings that are on their way are still stored. Raises Refused for a draft."""
    test = _locked(test)
    if test.status == TestStatus.DRAFT:
        raise Refused(f"The test {test.slug} is a draft, and was never open. Delete it if it is not needed.")
    test.closes_at = None
    return _set(test, TestStatus.CLOSED)


def _locked(test: ListeningTest) -> ListeningTest:
    return ListeningTest.objects.select_for_update(no_key=True).get(pk=test.pk)


def _refuse_closed(test: ListeningTest) -> None:
    if test.status == TestStatus.CLOSED:
        raise Refused(f"The test {test.slug} is closed, and a closed test stays closed. Make another test.")


def _set(test: ListeningTest, status: TestStatus) -> ListeningTest:
    test.status = status
    test.save(update_fields=["status", "opened_at", "opens_at", "opening_refused", "closes_at"])
    return test
