"""Prolific: its parameters, its way back, and what its site takes as lists (sources in docs/RECRUITING.md)."""

import re
from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from listening_tests.recruiters.recruiter import Claim, Payable, PayFile, is_claim

PERSON, STUDY, SUBMISSION = "PROLIFIC_PID", "STUDY_ID", "SESSION_ID"
# Of people, studies and submissions alike.
_ID = re.compile("[0-9a-f]{24}")


def _one_a_line(ids: Sequence[str]) -> str:
    """Each once, and only what looks like an id: one that does not would have Prolific refuse the whole list."""
    return "".join(f"{each}\n" for each in dict.fromkeys(ids) if _ID.fullmatch(each))


def people_to_approve(payables: Sequence[Payable]) -> str:
    return _one_a_line([payable.claimed_id for payable in payables if payable.is_whole])


def submissions_to_approve(payables: Sequence[Payable]) -> str:
    return _one_a_line([payable.submission for payable in payables if payable.is_whole])


def bonuses(payables: Sequence[Payable]) -> str:
    """`id,amount` a line: for who was screened out and is to get less than a whole sitting's reward."""
    lines = {
        payable.claimed_id: f"{payable.claimed_id},{payable.amount:.2f}\n"
        for payable in payables
        if payable.amount and not payable.is_whole and _ID.fullmatch(payable.claimed_id)
    }
    return "".join(lines.values())


class Prolific:
    name = "prolific"
    label = "Prolific"
    pay_files = (
        PayFile("approve-participants", "Participants to approve", people_to_approve),
        PayFile("approve-submissions", "Submissions to approve", submissions_to_approve),
        PayFile("bonuses", "Bonuses for who was screened out", bonuses),
    )

    def read(self, said: Mapping[str, str]) -> Claim:
        """Without a person there is no claim; study and submission may be missing, or be no claims."""
        person, study, submission = (said.get(name, "") for name in (PERSON, STUDY, SUBMISSION))
        if not is_claim(person):
            return Claim()
        return Claim(self.name, person, study if is_claim(study) else "", submission if is_claim(submission) else "")

    def parameters(self, claim: Claim) -> dict[str, str]:
        said = {PERSON: claim.claimed_id, STUDY: claim.study, SUBMISSION: claim.submission}
        return {name: value for name, value in said.items() if value}

    def study_url(self, address: str) -> str:
        """With the placeholders that Prolific fills in, which must not be percent-encoded."""
        return f"{address}?{'&'.join(f'{name}={{{{%{name}%}}}}' for name in (PERSON, STUDY, SUBMISSION))}"

    def looks_right(self, claimed_id: str) -> bool:
        return _ID.fullmatch(claimed_id) is not None

    def way_back(self, code: str) -> str:
        return f"https://app.prolific.com/submissions/complete?{urlencode({'cc': code})}" if code else ""
