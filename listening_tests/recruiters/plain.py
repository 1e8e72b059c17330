"""No recruiter: the link is sent to people, who give the completion code where they were invited."""

from collections.abc import Mapping

from listening_tests.recruiters.recruiter import Claim, PayFile


class Plain:
    name = "plain"
    label = "Plain link"
    pay_files: tuple[PayFile, ...] = ()

    def read(self, said: Mapping[str, str]) -> Claim:
        return Claim()

    def parameters(self, claim: Claim) -> dict[str, str]:
        return {}

    def study_url(self, address: str) -> str:
        return address

    def looks_right(self, claimed_id: str) -> bool:
        return True

    def way_back(self, code: str) -> str:
        return ""
