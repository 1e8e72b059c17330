"""What recruiters say of themselves: their links, the way back, and what their own sites take as lists."""

from decimal import Decimal

import pytest

from listening_tests.recruiters import (
    Claim,
    Payable,
    claim_in_form,
    claim_in_link,
    claim_parameters,
    recruiter_choices,
    recruiter_named,
)

PERSON, STUDY, SUBMISSION = "5f1e0c3a9b7d2e4f6a8c0b1d", "6a1e0c3a9b7d2e4f6a8c0b1d", "7b1e0c3a9b7d2e4f6a8c0b1d"
SAID = {"PROLIFIC_PID": PERSON, "STUDY_ID": STUDY, "SESSION_ID": SUBMISSION}
CLAIM = Claim("prolific", PERSON, STUDY, SUBMISSION)
PROLIFIC, PLAIN = recruiter_named("prolific"), recruiter_named("plain")


def test_it_works() -> None:
    assert claim_in_link(SAID) == CLAIM
    assert claim_parameters(CLAIM) == SAID
    form = {"recruiter": "prolific", "claimed_id": PERSON, "study": STUDY, "submission": SUBMISSION}
    assert claim_in_form(form) == CLAIM
    assert PROLIFIC.study_url("https://lab.example/t/rain/") == (
        "https://lab.example/t/rain/?PROLIFIC_PID={{%PROLIFIC_PID%}}&STUDY_ID={{%STUDY_ID%}}&SESSION_ID={{%SESSION_ID%}}"
    )
    assert PROLIFIC.way_back("C1A2") == "https://app.prolific.com/submissions/complete?cc=C1A2"
    assert recruiter_choices() == [("plain", "Plain link"), ("prolific", "Prolific")]


@pytest.mark.parametrize(
    "person", ["", "x" * 201, "a\nb", "\0", "{{%PROLIFIC_PID%}}"], ids=["empty", "endless", "lines", "null", "place"]
)
def test_what_is_no_claim_claims_nobody(person: str) -> None:
    assert claim_in_link({**SAID, "PROLIFIC_PID": person}) == Claim()
    assert claim_in_form({"recruiter": "prolific", "claimed_id": person}) == Claim()


def test_ids_of_any_shape_are_let_in_and_odd_ones_known() -> None:
    assert claim_in_link({"PROLIFIC_PID": "ann"}) == Claim("prolific", "ann")
    assert claim_in_link({**SAID, "STUDY_ID": "x" * 201, "SESSION_ID": "{{%SESSION_ID%}}"}) == Claim("prolific", PERSON)
    assert (PROLIFIC.looks_right("ann"), PROLIFIC.looks_right(PERSON)) == (False, True)


def test_a_code_cannot_add_to_the_address() -> None:
    assert PROLIFIC.way_back("A&x=1#y") == "https://app.prolific.com/submissions/complete?cc=A%26x%3D1%23y"


def test_a_recruiter_that_is_not_there_claims_nobody_and_leads_nowhere() -> None:
    assert claim_in_form({"recruiter": "mturk", "claimed_id": "A1"}) == Claim()
    assert recruiter_named("mturk").way_back("C1") == PLAIN.way_back("C1") == ""
    assert PLAIN.study_url("https://lab.example/t/rain/") == "https://lab.example/t/rain/"


def test_lists_of_prolific_hold_each_id_once_and_no_odd_one() -> None:
    payables = [
        Payable(PERSON, STUDY, SUBMISSION, Decimal("3"), is_whole=True),
        Payable(PERSON, STUDY, SUBMISSION, Decimal("3"), is_whole=True),
        Payable("=1+1", STUDY, "", Decimal("3"), is_whole=True),
        Payable("8c1e0c3a9b7d2e4f6a8c0b1d", STUDY, "", Decimal("0.5"), is_whole=False),
        Payable("9d1e0c3a9b7d2e4f6a8c0b1d", STUDY, "", None, is_whole=False),
    ]
    written = {file.name: file.write(payables) for file in PROLIFIC.pay_files}
    assert written == {
        "approve-participants": f"{PERSON}\n",
        "approve-submissions": f"{SUBMISSION}\n",
        "bonuses": "8c1e0c3a9b7d2e4f6a8c0b1d,0.50\n",
    }
