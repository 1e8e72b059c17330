"""What a recruiter has to say of itself, and what of a rater goes through it.

Knows no table: so models may name recruiters.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

LONGEST_CLAIM = 200


@dataclass(frozen=True)
class Claim:
    """What a recruiter's link says: who a rater is, and which study and submission of theirs this is.

    Never a proof: anybody can type it.
    """

    recruiter: str = ""
    claimed_id: str = ""
    study: str = ""
    submission: str = ""


@dataclass(frozen=True)
class Payable:
    """Somebody who is to be paid `amount`, None where the test names no reward. `is_whole`: for a whole sitting."""

    claimed_id: str
    study: str
    submission: str
    amount: Decimal | None
    is_whole: bool


@dataclass(frozen=True)
class PayFile:
    """A file that the recruiter's own site takes. `write` makes its text of the people of one study, in their order."""

    name: str
    label: str
    write: Callable[[Sequence[Payable]], str]


class Recruiter(Protocol):
    """`name` is kept in the database, at most 20 characters; `label` is what people read."""

    @property
    def name(self) -> str: ...

    @property
    def label(self) -> str: ...

    @property
    def pay_files(self) -> tuple[PayFile, ...]: ...

    def read(self, said: Mapping[str, str]) -> Claim:
        """What the parameters of a link claim; an empty Claim where they are not this recruiter's."""

    def parameters(self, claim: Claim) -> dict[str, str]:
        """As `read` takes them; empty where nothing is claimed."""

    def study_url(self, address: str) -> str:
        """What the researcher gives the recruiter as the study's address, of the test's own `address`."""

    def looks_right(self, claimed_id: str) -> bool:
        """Whether ids of this recruiter look so. What does not is let in all the same, and pointed out."""

    def way_back(self, code: str) -> str:
        """The address to which a rater with this completion code returns; empty where there is none."""


def is_claim(text: str) -> bool:
    """Whether a parameter says something: not where it is empty, endless, or a placeholder that nobody filled in."""
    return 0 < len(text) <= LONGEST_CLAIM and text.isprintable() and "{{" not in text
