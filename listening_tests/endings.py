"""What a rater is given at the end: the completion code of their outcome, and the way back to where they came from."""

from dataclasses import dataclass

from listening_tests.choices import Outcome
from listening_tests.models import ListeningTest, Session
from listening_tests.recruiters import recruiter_named


@dataclass(frozen=True)
class Ending:
    """`code` is empty where the test has none for the outcome; `way_back` where the recruiter has none for the code.

    `recruiter` is the name that raters read.
    """

    code: str
    way_back: str
    recruiter: str


def ending(test: ListeningTest, outcome: Outcome) -> Ending:
    code = _code(test, outcome)
    recruiter = recruiter_named(test.recruiter)
    return Ending(code=code, way_back=recruiter.way_back(code), recruiter=recruiter.label)


def ending_of(session: Session) -> Ending:
    """Of a sitting that has ended; where it was withdrawn from, of what had come before. Reads `session.test`."""
    return ending(session.test, Outcome(session.outcome or Outcome.COMPLETE))


def _code(test: ListeningTest, outcome: Outcome) -> str:
    match outcome:
        case Outcome.SCREENED_OUT:
            return test.screened_out_code
        case Outcome.NO_CONSENT:
            return test.no_consent_code
        case Outcome.TECHNICAL_FAILURE:
            return test.technical_failure_code or test.completion_code
        case _:
            return test.completion_code
