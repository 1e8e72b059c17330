"""What of a test may not change any more, and why. The admin, the dashboard and the API all ask here."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max

from listening_tests.choices import HeadphoneCheck, Outcome, SessionStatus, TestStatus
from listening_tests.exceptions import Refused
from listening_tests.kinds import kind_of
from listening_tests.models import ListeningTest
from listening_tests.selectors import is_before_raters, test_has_clips, test_is_answered

KIND_IS_SETTLED = (
    "This test has clips, so its kind cannot change: it says what is given out of them. Make another test for another "
    "kind."
)
ADDRESS_IS_KNOWN = (
    "This test was opened, so its address cannot change: the links that raters have would lead nowhere. "
    "Make another test for another address."
)
CODE_IS_KNOWN = (
    "Raters have finished with this code, so it cannot change: the place where they give it would not know it any "
    "more. Make another test for another code."
)
QUESTIONS_ARE_ANSWERED = (
    "Raters have answered in this test, so no question can be added or deleted: what was answered before "
    "would have other questions than what comes. Make another test for other questions."
)
WAS_OPENED = "This test was opened already, so no date is waited for. Pause it and open it again by hand."
IS_CLOSED = "This test is closed for good, so nothing closes it once more."
_OUTCOMES = {
    "completion_code": Outcome.COMPLETE,
    "screened_out_code": Outcome.SCREENED_OUT,
    "no_consent_code": Outcome.NO_CONSENT,
    "technical_failure_code": Outcome.TECHNICAL_FAILURE,
}
CODES = tuple(_OUTCOMES)
# What an account may change of a test by test_change, where nothing locks it.
CHANGEABLE = frozenset(
    {
        *("slug", "title", "kind", "instructions", "consent_text", "consent_version", "withdrawn_ratings"),
        *("contact_email", "ratings_per_pair", "pairs_per_session", "lease_minutes", "break_after_minutes"),
        *("headphone_check", "headphones_required", *CODES, "repeats_per_session"),
        *("opens_at", "opens_forced", "closes_at"),
        *("recruiter", "max_raters", "reward", "screened_out_reward", "currency"),
    }
)


def locked_fields(test: ListeningTest) -> dict[str, str]:
    """Why each of these columns of a test stays as it is; `questions` stands for which questions are asked.

    What may change only in one direction (`ratings_per_pair`), or only together with another column (the consent text
    with its version), is not in it: see change_faults.
    """
    if test.pk is None:
        return {}
    questions = _questions_lock(test)
    locks = {
        "kind": (KIND_IS_SETTLED, test_has_clips(test)),
        "slug": (ADDRESS_IS_KNOWN, test.status != TestStatus.DRAFT),
        "questions": (questions, bool(questions)),
        **dict.fromkeys(CODES, (CODE_IS_KNOWN, _has_ended(test))),
        "opens_at": (WAS_OPENED, test.status != TestStatus.DRAFT),
        "opens_forced": (WAS_OPENED, test.status != TestStatus.DRAFT),
        "closes_at": (IS_CLOSED, test.status == TestStatus.CLOSED),
    }
    return {name: reason for name, (reason, is_locked) in locks.items() if is_locked}


def change_faults(*, test: ListeningTest, changes: Mapping[str, Any]) -> dict[str, str]:
    """By column why these new values cannot be stored, as a sentence; empty where they can. `test` is as it is stored.

    Whether a value is one of its column at all is Django's own to say (`full_clean`).
    """
    faults = {
        name: reason
        for name, reason in locked_fields(test).items()
        if name in changes and _differs(test, changes, name)
    }
    faults |= _consent_fault(test, changes) | _ratings_fault(test, changes) | _dates_fault(test, changes)
    faults |= _codes_faults(test, changes)
    required = changes.get("headphones_required", test.headphones_required)
    if required and changes.get("headphone_check", test.headphone_check) == HeadphoneCheck.NONE:
        faults["headphones_required"] = (
            "Headphones can be required only where they are checked. Choose a check, or do not require them."
        )
    return faults


def _has_ended(test: ListeningTest) -> bool:
    """Whether somebody has come to the end of a sitting, and so may have a code."""
    return test.sessions.exclude(status=SessionStatus.ACTIVE).exists()


class ChangeRefused(Refused):
    """Some of the new values cannot be stored, and none was. `faults` holds a sentence by column."""

    def __init__(self, test: ListeningTest, faults: Mapping[str, str], *, done: str = "changed") -> None:
        self.faults = dict(faults)
        lines = [f"The test {test.slug} was not {done}:", *(f"- {name}: {why}" for name, why in self.faults.items())]
        super().__init__("\n".join(lines))


@transaction.atomic
def test_change(
    *, test: ListeningTest, changes: Mapping[str, Any], excluded_tests: Iterable[ListeningTest] | None = None
) -> ListeningTest:
    """Stores new values of the columns in CHANGEABLE, all of them or none, and whose raters may not take part, where
    that is given. Raises ChangeRefused.
    """
    unknown = sorted(changes.keys() - CHANGEABLE)
    if unknown:
        raise ChangeRefused(test, dict.fromkeys(unknown, "It cannot be changed this way."))
    stored = ListeningTest.objects.select_for_update(no_key=True).get(pk=test.pk)
    faults = change_faults(test=stored, changes=changes)
    if faults:
        raise ChangeRefused(test, faults)
    for name, value in changes.items():
        setattr(stored, name, value)
    if "opens_at" in changes:
        stored.opening_refused = ""
    try:
        stored.full_clean()
    except ValidationError as error:
        told = {name: " ".join(sentences) for name, sentences in error.message_dict.items()}
        raise ChangeRefused(test, told) from error
    stored.save()
    if excluded_tests is not None:
        stored.excluded_tests.set(excluded_tests)
    return stored


def _differs(test: ListeningTest, changes: Mapping[str, Any], name: str) -> bool:
    return bool(changes[name] != getattr(test, name, None))


def _questions_lock(test: ListeningTest) -> str:
    if test_is_answered(test):
        return QUESTIONS_ARE_ANSWERED
    if is_before_raters(test):
        return (
            "A rater has the questions of this test on the page just now, so none can be added or deleted: the "
            f"answer would be refused. Pause the test, and try again in {test.lease_minutes} minutes."
        )
    return ""


def _consent_fault(test: ListeningTest, changes: Mapping[str, Any]) -> dict[str, str]:
    """Of a version too that somebody goes back to: what it said is not kept.

    What becomes of withdrawn ratings is said beside the text, so it is part of what raters agree to.
    """
    names = ("consent_text", "consent_version", "withdrawn_ratings")
    text, version, treatment = (changes.get(name, getattr(test, name)) for name in names)
    if text is None or version is None:
        return {}
    is_same = (text_lines(text), version, treatment) == (
        text_lines(test.consent_text),
        test.consent_version,
        test.withdrawn_ratings,
    )
    agreed = None if is_same or test.pk is None else test.consents.aggregate(last=Max("version"))["last"]
    if agreed is None or version > agreed:
        return {}
    return {
        "consent_version": f"Raters agreed to version {agreed} of the consent, so neither its text nor what becomes of "
        f"the ratings of who withdraws can change. Raise the version to {agreed + 1} or more to change them."
    }


def _ratings_fault(test: ListeningTest, changes: Mapping[str, Any]) -> dict[str, str]:
    """Fewer ratings than a pair has by now would promise what is not so."""
    wanted = changes.get("ratings_per_pair")
    if test.pk is None or wanted is None or wanted >= test.ratings_per_pair:
        return {}
    rows = kind_of(test).leased.model._default_manager.filter(test=test)
    most = rows.aggregate(most=Max("load"))["most"] or 0
    if wanted >= most:
        return {}
    return {
        "ratings_per_pair": f"Some of it has {most} ratings, or raters at work on them, already, so k cannot be "
        f"{wanted}. Leave it at {most} or more; to stop sooner, close the test."
    }


def _dates_fault(test: ListeningTest, changes: Mapping[str, Any]) -> dict[str, str]:
    if "opens_at" not in changes and "closes_at" not in changes:
        return {}
    opens, closes = changes.get("opens_at", test.opens_at), changes.get("closes_at", test.closes_at)
    if opens is not None and closes is not None and opens >= closes:
        return {"closes_at": "The test would close before it opens. Choose a later date, or leave it empty."}
    return {}


def _codes_faults(test: ListeningTest, changes: Mapping[str, Any]) -> dict[str, str]:
    """Of the codes, those that could not be told from another one."""
    if not changes.keys() & _OUTCOMES.keys():
        return {}
    seen: dict[str, Outcome] = {}
    faults = {}
    for name, outcome in _OUTCOMES.items():
        code = changes.get(name, getattr(test, name))
        if code and code in seen:
            faults[name] = (
                f"This is the code for “{seen[code].label}” too, so nobody could tell the two apart. "
                "Give each outcome a code of its own."
            )
        seen.setdefault(code, outcome)
    return faults


def text_lines(text: str) -> list[str]:
    """What a text says, whichever way browsers end its lines."""
    return text.strip().splitlines()
