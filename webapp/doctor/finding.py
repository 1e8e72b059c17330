"""What a check comes to: passed, failed or could not check, in a sentence, with the next step."""

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    UNCHECKED = "could not check"


@dataclass(frozen=True)
class Finding:
    """`told` is a full sentence; `next_step` says what to do, blank where nothing is to be done."""

    outcome: Outcome
    told: str
    next_step: str = ""


def passed(told: str) -> Finding:
    return Finding(Outcome.PASSED, told)


def failed(told: str, next_step: str) -> Finding:
    return Finding(Outcome.FAILED, told, next_step)


def unchecked(told: str, next_step: str = "") -> Finding:
    return Finding(Outcome.UNCHECKED, told, next_step)
