"""The way of a test: draft, open, paused and open again, closed. What must be there before raters come."""

from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from listening_tests.choices import PairRole, TestStatus
from listening_tests.exceptions import Refused
from listening_tests.models import ListeningTest


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
    study = test.pairs.filter(role=PairRole.STUDY).count()
    practice = test.pairs.filter(role=PairRole.PRACTICE).exists()
    essential = {
        "It has no study pairs. Import some with import_clips, or upload a manifest on its page.": study == 0,
        "It has no question. Add one on its page.": not test.questions.exists(),
        "It has no consent text for raters to agree to. Write one on its page.": not test.consent_text.strip(),
    }
    advised = {
        f"It has {study:,} study pairs, and a session shows {test.pairs_per_session:,}. "
        "Import more, or ask for fewer pairs a session.": 0 < study < test.pairs_per_session,
        "It has no practice pair, so the first score of each rater counts at once. "
        "Import one with the role practice.": not practice,
        "It has no contact address, so a rater with a problem can reach nobody. "
        "Write one on its page.": not test.contact_email,
        "It has no instructions. Say on its page what raters shall do.": not test.instructions.strip(),
    }
    return [
        Shortcoming(sentence, is_essential)
        for checks, is_essential in ((essential, True), (advised, False))
        for sentence, is_missing in checks.items()
        if is_missing
    ]


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
    test.opened_at = test.opened_at or timezone.now()
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
    return _set(test, TestStatus.CLOSED)


def _locked(test: ListeningTest) -> ListeningTest:
    return ListeningTest.objects.select_for_update(no_key=True).get(pk=test.pk)


def _refuse_closed(test: ListeningTest) -> None:
    if test.status == TestStatus.CLOSED:
        raise Refused(f"The test {test.slug} is closed, and a closed test stays closed. Make another test.")


def _set(test: ListeningTest, status: TestStatus) -> ListeningTest:
    test.status = status
    test.save(update_fields=["status", "opened_at"])
    return test
