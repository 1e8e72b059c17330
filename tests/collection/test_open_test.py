"""Opening, pausing and closing a test: the checklist, the ways that lead on, and `manage.py open_test`."""

from functools import partial
from pathlib import Path

import pytest

from listening_tests.choices import PairRole, TestKind, TestStatus
from listening_tests.exceptions import Refused
from listening_tests.models import ListeningTest
from listening_tests.services.manifests import manifest_import
from listening_tests.services.test_status import NotReady, test_close, test_open, test_pause, test_shortcomings
from listening_tests.services.trials import trials_make
from tests.collection.shell import run_command
from tests.collection.sounds import write_manifest, write_sound
from tests.factories import make_caption, make_pair, make_pairs, make_test
from tests.sittings import make_test_of

# Services, not tests of pytest.
for service in (test_open, test_pause, test_close, test_shortcomings):
    service.__test__ = False  # type: ignore[attr-defined]

pytestmark = pytest.mark.django_db
NO_PRACTICE = (
    "It has no practice pair, so the first score of each rater counts at once. Import one with the role practice."
)
NO_CONTACT = "It has no contact address, so a rater with a problem can reach nobody. Write one on its page."
FEW_PAIRS = "It has 1 study pairs, and a session shows 20. Import more, or ask for fewer pairs a session."


def ready_draft() -> ListeningTest:
    test = make_test(slug="trial", status=TestStatus.DRAFT, contact_email="lab@example.org", pairs_per_session=2)
    make_pairs(test, 2)
    make_pair(test, role=PairRole.PRACTICE)
    return test


def sentences(test: ListeningTest) -> list[str]:
    return [found.sentence for found in test_shortcomings(test=test)]


def test_it_works() -> None:
    test = test_open(test=ready_draft())
    assert test.status == TestStatus.OPEN
    assert test.opened_at is not None
    opened_at = test.opened_at
    assert test_pause(test=test).status == TestStatus.PAUSED
    assert test_open(test=test).opened_at == opened_at
    assert test_close(test=test).status == TestStatus.CLOSED


def test_a_repeat_changes_nothing() -> None:
    test = test_open(test=ready_draft())
    assert test_open(test=test).opened_at == test.opened_at
    test_pause(test=test)
    assert test_pause(test=test).status == TestStatus.PAUSED
    test_close(test=test)
    assert test_close(test=test).status == TestStatus.CLOSED


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize(
    ("lacking", "sentence"),
    [
        ("pairs", "It has no study pairs. Import some with import_clips, or upload a manifest on its page."),
        ("question", "It has no question. Add one on its page."),
        ("consent", "It has no consent text for raters to agree to. Write one on its page."),
    ],
)
def test_nothing_opens_a_test_without_the_essentials(lacking: str, sentence: str, force: bool) -> None:
    test = ready_draft()
    if lacking == "pairs":
        test.pairs.filter(role=PairRole.STUDY).delete()
    elif lacking == "question":
        test.questions.all().delete()
    else:
        ListeningTest.objects.update(consent_text=" ")
    with pytest.raises(NotReady) as not_ready:
        test_open(test=test, force=force)
    assert str(not_ready.value) == f"The test trial was not opened:\n- {sentence}"
    assert not not_ready.value.can_be_forced
    test.refresh_from_db()
    assert (test.status, test.opened_at) == (TestStatus.DRAFT, None)


def test_force_passes_what_is_advised() -> None:
    test = make_test(status=TestStatus.DRAFT, instructions="")
    make_pair(test)
    advised = [FEW_PAIRS, NO_PRACTICE, NO_CONTACT, "It has no instructions. Say on its page what raters shall do."]
    assert sentences(test) == advised
    with pytest.raises(NotReady) as not_ready:
        test_open(test=test)
    assert not_ready.value.can_be_forced
    test.refresh_from_db()
    assert test.status == TestStatus.DRAFT
    assert test_open(test=test, force=True).status == TestStatus.OPEN


def test_a_closed_test_stays_closed() -> None:
    test = make_test(slug="done", status=TestStatus.CLOSED)
    sentence = "The test done is closed, and a closed test stays closed. Make another test."
    with pytest.raises(Refused, match=sentence):
        test_open(test=test, force=True)
    with pytest.raises(Refused, match=sentence):
        test_pause(test=test)
    test.refresh_from_db()
    assert test.status == TestStatus.CLOSED


def test_a_draft_is_neither_paused_nor_closed() -> None:
    test = make_test(slug="new", status=TestStatus.DRAFT)
    with pytest.raises(Refused, match="The test new is a draft, which no rater can see. There is nothing to pause."):
        test_pause(test=test)
    with pytest.raises(Refused, match="The test new is a draft, and was never open. Delete it if it is not needed."):
        test_close(test=test)
    test.refresh_from_db()
    assert test.status == TestStatus.DRAFT


def test_a_newcomer_is_led_from_a_plain_manifest_to_an_open_test(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = partial(run_command, monkeypatch, capsys)
    write_sound(tmp_path, "a.wav")
    manifest_import(manifest=write_manifest(tmp_path, ["a.wav,Rain."]), slug="trial", create=True)
    assert run("open_test", "trial") == (
        1,
        "",
        f"The test trial was not opened:\n- {FEW_PAIRS}\n- {NO_PRACTICE}\n- {NO_CONTACT}\n"
        "Mend this, or open the test as it is with: manage.py open_test trial --force\n",
    )
    assert ListeningTest.objects.get().status == TestStatus.DRAFT
    code, out, err = run("open_test", "trial", "--force")
    assert (code, out) == (0, "The test trial is open. Raters go to /t/trial/.\n")
    assert err == "".join(f"Open all the same: {sentence}\n" for sentence in (FEW_PAIRS, NO_PRACTICE, NO_CONTACT))
    assert ListeningTest.objects.get().status == TestStatus.OPEN


def test_what_the_command_refuses(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    run = partial(run_command, monkeypatch, capsys)
    assert run("open_test", "nope") == (
        1,
        "",
        "There is no test nope. Make it with import_clips --create, or in the admin.\n",
    )
    make_test(slug="empty", status=TestStatus.DRAFT, contact_email="lab@example.org")
    code, _, err = run("open_test", "empty", "--force")
    assert code == 1
    assert err.endswith("Mend what is missing, then run again: manage.py open_test empty\n")


def trials_of(kind: str, *n_sounds: int) -> ListeningTest:
    """A draft that lacks nothing but what trials may lack: a caption for each number, with so many sounds."""
    fields = {"status": TestStatus.DRAFT, "contact_email": "lab@example.org", "pairs_per_session": 1}
    test = make_test(slug="trial", kind=kind, **fields)
    for n in n_sounds:
        make_pairs(test, n, caption=make_caption())
    make_pairs(test, 2, caption=make_caption(), role=PairRole.PRACTICE)
    trials_make(test=test)
    return test


@pytest.mark.parametrize("kind", [TestKind.COMPARISON, TestKind.SIDE_BY_SIDE])
def test_trials_that_lack_nothing_are_not_advised_on(kind: str) -> None:
    test = trials_of(kind, 2, 3)
    assert sentences(test) == []
    test_open(test=test)
    assert sentences(test) == []


def test_a_caption_with_one_sound_is_compared_with_nothing() -> None:
    advice = (
        "1 caption of it has one study sound only, which is compared with nothing. "
        "Import the clips of further systems for the same caption."
    )
    assert sentences(trials_of(TestKind.COMPARISON, 2, 1)) == [advice]


def test_side_by_side_a_single_sound_an_absent_anchor_and_a_crowd_are_told() -> None:
    test = trials_of(TestKind.SIDE_BY_SIDE, 1, 1, 13)
    assert sentences(test) == [
        "2 trials of it have one study sound only, with nothing beside it but an anchor. "
        "Import the clips of further systems for the same caption.",
        "1 trial of it has more than 12 sounds, which are many to hear side by side. "
        "Put some of the systems into another test.",
    ]


def test_a_single_caption_has_no_anchor() -> None:
    test = trials_of(TestKind.SIDE_BY_SIDE, 2)
    no_anchor = (
        "1 trial of it has no hidden anchor, for no clip of another caption and another source can be hidden there. "
        "Import more captions, or a row with the role anchor."
    )
    assert sentences(test) == [no_anchor]
    with pytest.raises(NotReady):
        test_open(test=test)
    assert test_open(test=test, force=True).status == TestStatus.OPEN
    assert sentences(test) == [no_anchor]


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        (
            TestKind.COMPARISON,
            "It has no two study pairs of one caption to compare. Import clips of several systems for the same "
            "caption.",
        ),
        (
            TestKind.SIDE_BY_SIDE,
            "It has no study pairs to rate side by side. Import clips of several systems for the same caption.",
        ),
    ],
)
def test_nothing_opens_a_test_without_trials(kind: str, sentence: str) -> None:
    test = make_test_of(kind, n_captions=0, status=TestStatus.DRAFT)
    with pytest.raises(NotReady) as not_ready:
        test_open(test=test, force=True)
    assert sentence in [found.sentence for found in not_ready.value.shortcomings if found.essential]
    test.refresh_from_db()
    assert test.status == TestStatus.DRAFT
