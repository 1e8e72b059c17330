"""Where raters are recruited: which parameters the links carry, how raters go back, how the pay list is written.

A recruiter is a module here with a class that keeps `recruiters.recruiter.Recruiter`, and a line below: no table and no
migration knows their names (docs/RECRUITING.md).
"""

from collections.abc import Mapping

from listening_tests.recruiters.plain import Plain
from listening_tests.recruiters.prolific import Prolific
from listening_tests.recruiters.recruiter import Claim, Payable, PayFile, Recruiter, is_claim

__all__ = [
    "PLAIN",
    "Claim",
    "PayFile",
    "Payable",
    "Recruiter",
    "claim_in_form",
    "claim_in_link",
    "claim_parameters",
    "recruiter_choices",
    "recruiter_named",
]

_RECRUITERS: dict[str, Recruiter] = {recruiter.name: recruiter for recruiter in (Plain(), Prolific())}
PLAIN = Plain.name


def recruiter_choices() -> list[tuple[str, str]]:
    return [(recruiter.name, recruiter.label) for recruiter in _RECRUITERS.values()]


def recruiter_named(name: str) -> Recruiter:
    """Who recruits under this name; nobody in particular where none does, as after a recruiter was taken out."""
    return _RECRUITERS.get(name, _RECRUITERS[PLAIN])


def claim_in_link(said: Mapping[str, str]) -> Claim:
    """What a link claims, whichever recruiter's it is: a link that was sent on is still that recruiter's."""
    claims = (recruiter.read(said) for recruiter in _RECRUITERS.values())
    return next((claim for claim in claims if claim.claimed_id), Claim())


def claim_in_form(form: Mapping[str, str]) -> Claim:
    """The claim that the consent page carried along."""
    recruiter, claimed_id = form.get("recruiter", ""), form.get("claimed_id", "")
    if recruiter not in _RECRUITERS or not is_claim(claimed_id):
        return Claim()
    study, submission = form.get("study", ""), form.get("submission", "")
    return Claim(recruiter, claimed_id, study if is_claim(study) else "", submission if is_claim(submission) else "")


def claim_parameters(claim: Claim) -> dict[str, str]:
    """As `claim_in_link` reads them; empty where nothing is claimed."""
    return recruiter_named(claim.recruiter).parameters(claim)
