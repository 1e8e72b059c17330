"""Uploads of clips from the zip to the pairs, through what the pages call and what the queue calls."""

from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.utils import timezone

from listening_tests.choices import AuditedAction, FindingKind, TestStatus
from listening_tests.choices import ClipImportStatus as Status
from listening_tests.exceptions import Refused
from listening_tests.models import AuditEntry, Clip, ClipImport, ListeningTest, Pair
from listening_tests.services import archives, clip_imports, manifest_sounds, manifests
from listening_tests.services.clip_imports import (
    INTERRUPTED,
    KEPT_WAITING,
    clip_import_cancel,
    clip_import_claim,
    clip_imports_clear_up,
)
from listening_tests.services.manifests import manifest_import
from tests.collection.sounds import encoded, noise
from tests.factories import make_test
from tests.uploads import carry_out, make_researcher, manifest, send, sound, sounds_and_manifest
from tests.worker.test_run_life import process_that_ended, start_worker
from worker import lifecycle, stopping
from worker.clip_imports import (
    LOST,
    LOST_AFTER,
    MAX_RESTARTS,
    NO_BROKER,
    clip_import_accept,
    clip_import_look_again,
    clip_imports_set_right,
    clip_imports_take_back,
)

pytestmark = pytest.mark.django_db
FIVE = sounds_and_manifest(5)


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The imports whose messages a broker, which is there, has taken."""
    taken: list[int] = []
    monkeypatch.setattr("worker.clip_imports.import_clips.apply_async", lambda args, **_: taken.extend(args))
    return taken


def accept(clip_import: ClipImport) -> ClipImport:
    return clip_import_accept(clip_import=clip_import, requested_by=make_researcher())


def take_in(members: dict[str, bytes], **options: Any) -> ClipImport:
    return carry_out(accept(carry_out(send(members, **options))))


def findings(clip_import: ClipImport, kind: FindingKind = FindingKind.PROBLEM) -> list[tuple[int, str, str]]:
    rows = clip_import.findings.filter(kind=kind).order_by("line", "id")
    return [(row.line, row.column, row.reason) for row in rows]


def folders() -> list[str]:
    return [path.name for path in (Path(settings.MEDIA_ROOT) / "imports").glob("*")]


def nothing_is_stored() -> bool:
    return not (Pair.objects.exists() or Clip.objects.exists() or stored_sounds())


def stored_sounds() -> list[str]:
    return [path.name for kind in ("clips", "renditions") for path in (Path(settings.MEDIA_ROOT) / kind).glob("*/*")]


def test_it_works() -> None:
    sent = send(FIVE)
    assert (sent.status, sent.stage) == (Status.QUEUED, "check")
    checked = carry_out(sent)
    assert (checked.status, checked.n_rows, checked.n_new, checked.n_bad_rows) == (Status.CHECKED, 5, 5, 0)
    assert nothing_is_stored()
    done = carry_out(accept(checked))
    told = "Imported 5 pairs (5 clips, 0 of them stored before; 5 captions) into the test "
    assert (done.status, done.message) == (Status.DONE, f"{told}{done.test.slug}.")
    assert set(done.test.pairs.values_list("clip__name", "caption__text")) == {
        (f"{number}.wav", f"Sound {number}.") for number in range(5)
    }
    assert len(stored_sounds()) == 10
    assert folders() == []
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.detail, entry.user) == (AuditedAction.INGESTED, done.message, done.requested_by)


def test_every_bad_row_is_found_with_its_line_and_column() -> None:
    rows = manifest(
        *("0.wav,Good,,", "0.wav,Good,,", "no.wav,Rain,,", "../0.wav,Rain,,", '0.wav,"",boss,12', "bad.wav,Rain,,"),
        *("0.wav,too,many,1,cells",),
        header="file,caption,role,expected_min",
    )
    checked = carry_out(send(FIVE | {"bad.wav": b"no sound", "m.csv": rows}))
    assert (checked.status, checked.n_rows, checked.n_bad_rows, checked.n_failed) == (Status.REFUSED, 7, 6, 2)
    assert [(line, column) for line, column, _ in findings(checked)] == [
        (3, "file, caption"),
        (4, "file"),
        (5, "file"),
        (6, "caption"),
        (6, "expected_min"),
        (6, "role"),
        (7, "file"),
        (8, ""),
    ]
    assert findings(checked)[1][2].startswith("no.wav is not there.")
    with pytest.raises(Refused, match="has rows to mend, and comes in as a whole or not at all"):
        accept(checked)
    assert nothing_is_stored()


def test_a_corrected_manifest_is_looked_at_over_the_same_sounds(monkeypatch: pytest.MonkeyPatch) -> None:
    checked = carry_out(send(FIVE | {"x/y/m.csv": manifest("../../0.wav,A")}))
    assert checked.message.startswith("The zip holds 2 CSV files")
    refused = carry_out(send({"x/0.wav": sound(), "x/m.csv": manifest("0.wav,A", "1.wav,B")}))
    assert refused.status == Status.REFUSED
    # Nothing is decoded twice.
    monkeypatch.setattr(manifest_sounds, "clip_prepare", None)
    better = ContentFile(manifest("0.wav,A", "0.wav,B"), name="better.csv")
    for _ in range(2):  # A repeat gets the same answer.
        better.seek(0)
        again = clip_import_look_again(clip_import=refused, manifest=better)
    assert (again.status, again.n_bad_rows, again.findings.count()) == (Status.QUEUED, 0, 0)
    with pytest.raises(Refused, match="is being worked on, so its manifest cannot be replaced now. Wait until"):
        clip_import_look_again(clip_import=refused, manifest=ContentFile(b"other", name="m.csv"))
    done = carry_out(accept(carry_out(again)))
    assert (done.status, done.test.pairs.count(), done.manifest_name) == (Status.DONE, 2, "better.csv")


def test_a_manifest_beside_the_zip() -> None:
    done = take_in({"x/0.wav": sound(), "old.csv": b"other"}, beside=manifest("x/0.wav,Rain."))
    assert done.test.pairs.get().clip.name == "x/0.wav"


def test_sounds_are_recognised_by_their_content() -> None:
    take_in({"old.wav": sound(1), "m.csv": manifest("old.wav,Rain.")})
    members = {"a.wav": sound(1), "b.wav": sound(2), "c.wav": sound(2)}
    rows = manifest("a.wav,Rain.", "a.wav,Hail.", "b.wav,Snow.", "c.wav,Sleet.")
    checked = carry_out(send(members | {"m.csv": rows}))
    assert (checked.status, checked.n_new, checked.n_stored, checked.n_repeated) == (Status.CHECKED, 1, 1, 1)
    assert findings(checked, FindingKind.STORED) == [
        (2, "file", "The sound of a.wav is stored already, as old.wav. It is used again.")
    ]
    assert findings(checked, FindingKind.REPEATED) == [
        (5, "file", "c.wav holds the same sound as b.wav of line 4. It is stored once.")
    ]
    carry_out(accept(checked))
    assert Clip.objects.count() == 2


def test_silent_clips_come_in_where_that_was_asked_for() -> None:
    members = {"a.wav": encoded(noise(0.2, level=0)), "m.csv": manifest("a.wav,Nothing.")}
    assert carry_out(send(members)).n_failed == 1
    assert take_in(members, allow_silent=True).status == Status.DONE


@pytest.mark.parametrize(
    ("members", "status", "sentence"),
    [
        ({"../a.wav": b"x"}, Status.FAILED, "The zip was not unpacked: '../a.wav' leaves the archive's folder."),
        (
            {"a.wav": b"x"},
            Status.REFUSED,
            "The zip holds no manifest. Put a CSV file into it, or choose one beside it.",
        ),
        ({"m.csv": b"name,text\n"}, Status.REFUSED, "m.csv lacks the column file, caption and has the unknown column"),
        ({"m.csv": b"file,caption\n"}, Status.REFUSED, "m.csv holds no rows below its header."),
    ],
)
def test_an_upload_that_is_wrong_as_a_whole(members: dict[str, bytes], status: str, sentence: str) -> None:
    ended = carry_out(send(members))
    assert ended.status == status
    assert ended.message.startswith(sentence)
    # What a corrected manifest could save is kept.
    assert len(folders()) == (status == Status.REFUSED)
    assert nothing_is_stored()


def test_a_closed_test_takes_nothing() -> None:
    with pytest.raises(Refused, match="The test done is closed, and takes no more pairs. Upload to another test."):
        send(FIVE, test=make_test(slug="done", status=TestStatus.CLOSED))
    assert not ClipImport.objects.exists() and folders() == []
    checked = carry_out(send(FIVE))
    ListeningTest.objects.filter(pk=checked.test_id).update(status=TestStatus.CLOSED)
    failed = carry_out(accept(checked))
    assert (failed.status, folders()) == (Status.FAILED, [])
    assert "was closed meanwhile" in failed.message
    assert nothing_is_stored()


def test_files_that_are_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clip_imports, "LARGEST_MANIFEST_BYTES", 10)
    with pytest.raises(Refused, match="The manifest is larger than 0 MB. Upload it in parts"):
        send(FIVE, beside=manifest("0.wav,A"))
    assert not ClipImport.objects.exists() and folders() == []


def test_what_came_into_the_test_meanwhile_is_told_and_nothing_comes_in(tmp_path: Path) -> None:
    checked = carry_out(send(FIVE))
    (tmp_path / "0.wav").write_bytes(FIVE["0.wav"])
    (tmp_path / "m.csv").write_bytes(manifest("0.wav,Sound 0."))
    manifest_import(manifest=tmp_path / "m.csv", slug=checked.test.slug)
    refused = carry_out(accept(checked))
    assert (refused.status, refused.n_bad_rows, refused.test.pairs.count()) == (Status.REFUSED, 1, 1)
    assert findings(refused)[0][:2] == (2, "file, caption")
    assert "has this sound with this caption already." in findings(refused)[0][2]


def broken_off(monkeypatch: pytest.MonkeyPatch, name: str, after: int, error: type[BaseException]) -> list[str]:
    """Lets the work end with `error` at the call number `after` of this step; what the step was called for."""
    module = manifest_sounds if name == "clip_prepare" else manifests
    step, called = getattr(module, name), []

    def once(**arguments: Any) -> Any:
        called.append(arguments.get("name") or arguments["clip"].name)
        if len(called) == after:
            raise error
        return step(**arguments)

    monkeypatch.setattr(module, name, once)
    return called


def take_back_from_dead_process(clip_import: ClipImport) -> ClipImport:
    """What a starting worker finds where SIGKILL left no time for a word."""
    host = process_that_ended()
    ClipImport.objects.filter(pk=clip_import.pk).update(status=Status.RUNNING, host=host)
    assert clip_imports_take_back() == 1
    clip_import.refresh_from_db()
    return clip_import


def test_a_dry_run_goes_on_where_its_worker_was_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    called = broken_off(monkeypatch, "clip_prepare", 3, KeyboardInterrupt)
    sent = send(FIVE)
    with pytest.raises(KeyboardInterrupt):
        carry_out(sent)
    taken = take_back_from_dead_process(sent)
    assert (taken.status, taken.message, taken.n_restarts) == (Status.QUEUED, INTERRUPTED, 1)
    assert carry_out(taken).status == Status.CHECKED
    assert called == ["0.wav", "1.wav", "2.wav", "2.wav", "3.wav", "4.wav"]


def test_taking_in_goes_on_where_its_worker_was_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    checked = carry_out(send(FIVE))
    broken_off(monkeypatch, "clip_files_store", 3, KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        carry_out(accept(checked))
    assert (Pair.objects.count(), len(stored_sounds())) == (0, 4)
    done = carry_out(take_back_from_dead_process(checked))
    assert (done.status, done.test.pairs.count(), len(stored_sounds())) == (Status.DONE, 5, 10)


def test_what_was_stored_before_a_cancel_is_cleared_away(monkeypatch: pytest.MonkeyPatch) -> None:
    checked = carry_out(send(FIVE))
    kept = take_in({"0.wav": FIVE["0.wav"], "m.csv": manifest("0.wav,Kept.")})
    broken_off(monkeypatch, "clip_files_store", 3, KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        carry_out(accept(checked))
    assert len(stored_sounds()) == 6
    assert clip_import_cancel(clip_import=checked).status == Status.CANCELLED
    assert (len(stored_sounds()), folders(), checked.test.pairs.count()) == (2, [], 0)
    assert kept.test.pairs.count() == 1


def test_files_that_another_import_cleared_away_are_stored_again(monkeypatch: pytest.MonkeyPatch) -> None:
    store = manifests.manifest_files_store

    def cleared(**arguments: Any) -> None:
        store(**arguments)
        clip_imports.clip_files_discard(clips=arguments["checked"].files.new_clips.values())
        assert stored_sounds() == []

    monkeypatch.setattr("listening_tests.services.clip_import_work.manifest_files_store", cleared)
    assert take_in(FIVE).status == Status.DONE
    assert len(stored_sounds()) == 10


def test_a_cancel_takes_effect_within_a_few_sounds(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = send(FIVE)
    prepare, called = manifest_sounds.clip_prepare, []

    def cancelled_meanwhile(**arguments: Any) -> Any:
        called.append(arguments["name"])
        if len(called) == 2:
            assert clip_import_cancel(clip_import=ClipImport.objects.get()).status == Status.CANCELLING
        return prepare(**arguments)

    monkeypatch.setattr(manifest_sounds, "clip_prepare", cancelled_meanwhile)
    ended = carry_out(sent)
    assert (ended.status, ended.message, called) == (Status.CANCELLED, "Cancelled.", ["0.wav", "1.wav"])
    assert folders() == [] and nothing_is_stored()
    assert clip_import_cancel(clip_import=ended).status == Status.CANCELLED
    with pytest.raises(Refused, match=r"has ended \(cancelled\), so it cannot be taken in. Upload the sounds anew."):
        accept(ended)


def test_a_cancelled_import_whose_process_died_ends_cancelled() -> None:
    sent = send(FIVE)
    ClipImport.objects.update(status=Status.CANCELLING, host=process_that_ended())
    clip_imports_take_back()
    sent.refresh_from_db()
    assert (sent.status, folders()) == (Status.CANCELLED, [])


def test_a_second_delivery_does_nothing() -> None:
    sent = send(FIVE)
    assert clip_import_claim(clip_import_id=sent.pk, host="elsewhere:1") is not None
    again = carry_out(sent)
    assert (again.status, again.host) == (Status.RUNNING, "elsewhere:1")
    done = take_in(FIVE)
    assert carry_out(done).status == Status.DONE
    assert accept(done).status == Status.DONE  # Nor does a second press.
    assert Pair.objects.count() == 5


def test_a_process_that_was_given_up_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    """It lived on, silent for long, while another took its import."""
    checked = carry_out(send(FIVE))
    store = manifests.manifest_files_store

    def taken_by_another(**arguments: Any) -> None:
        store(**arguments)
        ClipImport.objects.update(host="elsewhere:1")

    monkeypatch.setattr("listening_tests.services.clip_import_work.manifest_files_store", taken_by_another)
    after = carry_out(accept(checked))
    assert (after.status, after.host, Pair.objects.count()) == (Status.RUNNING, "elsewhere:1", 0)


def test_a_silent_process_elsewhere_and_one_that_dies_again_and_again() -> None:
    sent = send(FIVE)
    ClipImport.objects.update(status=Status.RUNNING, host="elsewhere:1", heartbeat_at=timezone.now())
    assert clip_imports_take_back() == 0
    silent = timezone.now() - LOST_AFTER * 2
    ClipImport.objects.update(heartbeat_at=silent, n_restarts=MAX_RESTARTS - 1)
    assert clip_imports_take_back() == 1
    ClipImport.objects.update(status=Status.RUNNING, host="elsewhere:1", heartbeat_at=silent)
    clip_imports_take_back()
    sent.refresh_from_db()
    assert (sent.status, sent.message, folders()) == (Status.ERRORED, LOST, [])


def test_a_fault_of_ours_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    broken_off(monkeypatch, "clip_prepare", 2, ZeroDivisionError)
    errored = carry_out(send(FIVE))
    assert errored.status == Status.ERRORED
    assert errored.message == "The upload met a fault of Earmark (ZeroDivisionError). Nothing of it came in."
    assert "clip_prepare" in errored.traceback
    assert folders() == [] and nothing_is_stored()


def test_a_worker_that_is_stopped_gives_its_import_back(monkeypatch: pytest.MonkeyPatch, published: list[int]) -> None:
    sent = send(FIVE)
    monkeypatch.setattr("worker.clip_imports.stop_requested", lambda: True)
    given_back = carry_out(sent)
    assert (given_back.status, given_back.n_restarts, published) == (Status.QUEUED, 0, [sent.pk])
    monkeypatch.setattr("worker.clip_imports.stop_requested", stopping.stop_requested)
    assert carry_out(given_back).status == Status.CHECKED


@pytest.mark.django_db(transaction=True)
def test_a_starting_worker_takes_up_what_waits(published: list[int]) -> None:
    sent = send(FIVE)
    published.clear()
    start_worker("gpu")
    assert published == []
    start_worker("default")
    assert published == [sent.pk]
    ClipImport.objects.update(status=Status.RUNNING, host=process_that_ended())
    lifecycle.on_task_failure(sender=SimpleNamespace())
    sent.refresh_from_db()
    assert (sent.status, sent.n_restarts) == (Status.QUEUED, 1)


@pytest.mark.django_db(transaction=True)
def test_an_upload_is_published_and_waits_for_the_broker() -> None:
    assert ClipImport.objects.get(pk=send({"a.wav": b""}).pk).message == NO_BROKER


def test_what_nobody_came_back_to_is_cleared_away() -> None:
    waiting, young = carry_out(send(FIVE)), carry_out(send(FIVE))
    ClipImport.objects.filter(pk=waiting.pk).update(heartbeat_at=timezone.now() - KEPT_WAITING - timedelta(hours=1))
    assert clip_imports_clear_up() == 1
    waiting.refresh_from_db()
    assert waiting.status == Status.CANCELLED
    assert waiting.message == "Nobody took it in or mended it for 7 days, so its files were removed."
    assert folders() == [str(young.uuid)]


def test_a_folder_whose_import_went_with_its_test_is_cleared_away(monkeypatch: pytest.MonkeyPatch) -> None:
    carry_out(send(FIVE)).test.delete()
    monkeypatch.setattr(clip_imports, "timezone", SimpleNamespace(now=lambda: timezone.now() + timedelta(days=2)))
    clip_imports_set_right()
    assert folders() == []


def test_limits_hold_10_000_clips() -> None:
    assert archives.MOST_FILES >= 10_001
    assert archives.LARGEST_ARCHIVE_BYTES >= 4 * 1024**3
