"""A test's clips on the dashboard, and its uploads from the form to the pairs."""

import uuid
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile, TemporaryUploadedFile
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from listening_tests.choices import AuditedAction, Role, TestStatus
from listening_tests.choices import ClipImportStatus as Status
from listening_tests.models import AuditEntry, Clip, ClipImport, ListeningTest
from listening_tests.services import clip_imports
from tests.collection.sounds import encoded, noise
from tests.factories import make_caption, make_clip, make_pair, make_test
from tests.uploads import carry_out, manifest, send, sound, sounds_and_manifest, zipped
from tests.webapp.factories import make_member

pytestmark = pytest.mark.django_db
TWO_BAD = {"<b>.wav": sound(), "m.csv": manifest("<b>.wav,Rain.", "<i>.wav,Hail.", "<b>.wav,")}


def address(name: str, test: ListeningTest, *args: object) -> str:
    return reverse(f"dashboard:{name}", args=[test.slug, *args])


def post_upload(client: Client, test: ListeningTest, members: dict[str, bytes], **fields: object) -> object:
    data = {"uuid": uuid.uuid4(), "archive": SimpleUploadedFile("sounds.zip", zipped(members))} | fields
    return client.post(address("clip_upload_send", test), data, follow=True)


def make_sounding(seconds: float = 0.3, level: float = 0.1) -> Clip:
    content = encoded(noise(seconds, level=level), kind="flac")
    clip = make_clip(content=content, duration_s=seconds)
    clip.rendition.save("clip.flac", ContentFile(content))
    return clip


def test_it_works(staff: Client) -> None:
    """From the form over the dry run to the clips."""
    test = make_test(status=TestStatus.DRAFT)
    form = staff.get(address("clip_upload", test)).content.decode()
    assert "Upload and check" in form and "Up to 20,000 files and 12 GB" in form
    shown = post_upload(staff, test, sounds_and_manifest(3)).content.decode()
    assert "In the queue for its dry run" in shown and 'hx-trigger="every 1s"' in shown
    sent = ClipImport.objects.get()
    assert sent.requested_by.username == "researcher"
    carry_out(sent)
    page = address("clip_import", test, sent.uuid)
    live = staff.get(address("clip_import_live", test, sent.uuid))
    assert live.headers["HX-Reswap"] == "outerHTML"
    assert "Nothing is wrong. 3 pairs would come into the test" in live.content.decode()
    assert "Take in 3 pairs" in staff.get(page).content.decode()
    taken = staff.post(address("clip_import_take_in", test, sent.uuid), follow=True)
    assert taken.redirect_chain == [(page, 303)]
    assert "In the queue to be taken in" in taken.content.decode()
    assert test.pairs.count() == 0
    carry_out(sent)
    assert "Imported 3 pairs (3 clips, 0 of them stored before; 3 captions)" in staff.get(page).content.decode()
    listed = staff.get(address("clip_list", test)).content.decode()
    assert "3 clips" in listed and "0.20&nbsp;s" in listed and "16,000&nbsp;Hz, mono" in listed
    assert AuditEntry.objects.get(action=AuditedAction.INGESTED).username == "researcher"


def test_every_bad_row_is_shown_and_a_corrected_manifest_is_taken(staff: Client) -> None:
    test = make_test()
    sent = carry_out(send(TWO_BAD, test=test))
    page = address("clip_import", test, sent.uuid)
    shown = staff.get(page).content.decode()
    assert "2 of 3 rows cannot be used, so nothing comes in." in shown
    assert "&lt;i&gt;.wav is not there." in shown and "<i>.wav" not in shown
    assert "The caption is empty." in shown
    assert "Take in" not in shown
    refused = staff.post(address("clip_import_take_in", test, sent.uuid), follow=True).content.decode()
    assert "has rows to mend, and comes in as a whole or not at all." in refused
    correct = address("clip_import_correct", test, sent.uuid)
    assert "Choose a manifest (CSV) that is not empty." in staff.post(correct, follow=True).content.decode()
    better = SimpleUploadedFile("better.csv", manifest("<b>.wav,Rain."))
    assert staff.post(correct, {"manifest": better}, follow=True).redirect_chain == [(page, 303)]
    assert carry_out(sent).status == Status.CHECKED


def test_findings_are_paginated(staff: Client, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    rows = [f"{number}.wav,Rain." for number in range(250)]
    sent = carry_out(send({"a.wav": sound(), "m.csv": manifest(*rows)}))
    page = address("clip_import", sent.test, sent.uuid)
    with django_assert_max_num_queries(12):
        assert staff.get(page).content.decode().count("is not there.") == 100
    last = staff.get(page, {"kind": "problem", "page": 3}).content.decode()
    assert last.count("is not there.") == 50
    assert "Page 3 of 3" in last and "?kind=problem&amp;page=2" in last


def test_a_repeat_of_the_form_makes_one_upload(staff: Client) -> None:
    test, key = make_test(), uuid.uuid4()
    for _ in range(2):
        response = post_upload(staff, test, sounds_and_manifest(1), uuid=key)
        assert response.redirect_chain == [(address("clip_import", test, key), 303)]
    assert ClipImport.objects.get().uuid == key
    shown = post_upload(staff, make_test(), sounds_and_manifest(1), uuid=key).content.decode()
    assert "This upload belongs to another test. Open the page of uploads anew." in shown


def test_a_large_upload_is_moved_and_not_copied() -> None:
    archive = TemporaryUploadedFile("sounds.zip", "application/zip", 0, None)
    archive.write(zipped(sounds_and_manifest(1)))
    archive.size = archive.tell()
    archive.flush()
    made, _ = clip_imports.clip_import_create(
        test=make_test(), uuid=uuid.uuid4(), requested_by=make_member(make_test()), archive=archive
    )
    assert not Path(archive.temporary_file_path()).exists()
    assert Path(archive.temporary_file_path()).parent == settings.FILE_UPLOAD_TEMP_DIR
    assert carry_out(made).status == Status.CHECKED
    archive.close()


def test_a_script_is_told_where_to_go(staff: Client) -> None:
    test = make_test()
    data = {"uuid": uuid.uuid4(), "archive": SimpleUploadedFile("s.zip", zipped(sounds_and_manifest(1)))}
    response = staff.post(address("clip_upload_send", test), data, headers={"Accept": "application/json"})
    assert response.json() == {"location": address("clip_import", test, data["uuid"])}


@pytest.mark.parametrize("reason", ["no zip chosen", "too large", "no room", "closed"])
def test_an_upload_that_is_refused(staff: Client, monkeypatch: pytest.MonkeyPatch, reason: str) -> None:
    test = make_test(slug="trial", status=TestStatus.CLOSED if reason == "closed" else TestStatus.OPEN)
    sentence = {
        "no zip chosen": "Choose a zip of sounds that is not empty.",
        "too large": "The upload is larger than 0 MB. Upload it in parts, or use manage.py import_clips.",
        "no room": " MB left on its disk, which is too little for this upload.",
        "closed": "The test trial is closed, and takes no more pairs. Upload to another test.",
    }[reason]
    if reason == "too large":
        monkeypatch.setattr(clip_imports, "LARGEST_ARCHIVE_BYTES", -(10**9))
        sentence = sentence.replace("0 MB", "-954 MB")
    if reason == "no room":
        monkeypatch.setattr(clip_imports, "LEAST_FREE_BYTES", 2**60)
    fields = {"archive": ""} if reason == "no zip chosen" else {}
    response = post_upload(staff, test, sounds_and_manifest(1), **fields)
    assert response.redirect_chain == [(address("clip_upload", test), 303)]
    assert sentence in response.content.decode()
    assert not ClipImport.objects.exists()


def test_a_forged_upload_is_refused() -> None:
    test = make_test()
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_member(test))
    assert post_upload(client, test, sounds_and_manifest(1)).status_code == 403
    assert not ClipImport.objects.exists()


def test_cancelling_and_discarding(staff: Client) -> None:
    queued, refused = send(sounds_and_manifest(1)), carry_out(send(TWO_BAD))
    for sent in (queued, refused):
        cancelled = staff.post(address("clip_import_cancel", sent.test, sent.uuid), follow=True)
        assert "Nothing of it came into the test." in cancelled.content.decode()
    assert set(ClipImport.objects.values_list("status", flat=True)) == {Status.CANCELLED}


@pytest.mark.parametrize(
    ("role", "sees", "sets_up"), [(Role.ASSISTANT, 200, 200), (Role.ANALYST, 200, 403), (None, 404, 404)]
)
def test_who_may_do_what(client: Client, role: Role | None, sees: int, sets_up: int) -> None:
    clip = make_sounding()
    test = make_pair(make_test(), clip=clip).test
    sent = carry_out(send(sounds_and_manifest(1), test=test))
    client.force_login(make_member(test if role else make_test(), role or Role.OWNER))
    for name, args in (("clip_list", []), ("clip_page", [clip.uuid]), ("clip_import", [sent.uuid])):
        assert client.get(address(name, test, *args)).status_code == sees
    for name in ("clip_audio", "clip_waveform"):
        assert client.get(reverse(f"dashboard:{name}", args=[clip.uuid])).status_code == sees
    assert client.get(address("clip_upload", test)).status_code == sets_up
    for name in ("clip_import_correct", "clip_import_take_in", "clip_import_cancel"):
        status = client.post(address(name, test, sent.uuid)).status_code
        assert status == (303 if sets_up == 200 else sets_up)
    status = post_upload(client, test, sounds_and_manifest(1)).status_code
    assert status == sets_up


def test_an_upload_of_another_test_is_not_found(staff: Client) -> None:
    sent = send(sounds_and_manifest(1))
    for name in ("clip_import", "clip_import_live"):
        assert staff.get(address(name, make_test(), sent.uuid)).status_code == 404
    assert staff.post(address("clip_import_cancel", make_test(), sent.uuid)).status_code == 404
    assert staff.get(address("clip_page", make_test(), make_clip().uuid)).status_code == 404


def test_a_list_of_clips_takes_few_queries(
    staff: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    test, caption = make_test(), make_caption()
    Clip.objects.bulk_create(Clip(name=f"clip {number}.wav") for number in range(60))
    for clip in Clip.objects.all():
        make_pair(test, clip=clip, caption=caption)
    with django_assert_max_num_queries(11):
        shown = staff.get(address("clip_list", test)).content.decode()
    assert shown.count("no audio") == 25 and "Page 1 of 3" in shown


def test_clips_are_found_by_name_and_silence(staff: Client) -> None:
    loud = make_pair(make_test())
    silent = make_pair(loud.test)
    Clip.objects.filter(pk=silent.clip_id).update(is_silent=True, name="hush.wav")
    listed = address("clip_list", loud.test)
    for query in ({"silent": "1"}, {"name": "USH"}):
        shown = staff.get(listed, query).content.decode()
        assert "1 clip found" in shown and "hush.wav" in shown and loud.clip.name not in shown
    assert "No clip of this test is like that." in staff.get(listed, {"name": "other"}).content.decode()


def test_a_clip_is_shown_with_its_pairs_of_this_test(staff: Client) -> None:
    pair = make_pair(make_test(), caption=make_caption("<i>Rain</i>"), system="tango", expected_min=2)
    make_pair(make_test(), clip=pair.clip, caption=make_caption("Elsewhere"))
    shown = staff.get(address("clip_page", pair.test, pair.clip.uuid)).content.decode()
    assert "1 pair of this test" in shown and "&lt;i&gt;Rain" in shown and "tango" in shown and "from 2" in shown
    assert "Elsewhere" not in shown
    assert pair.clip.sha256 in shown


def test_a_waveform(staff: Client) -> None:
    url = reverse("dashboard:clip_waveform", args=[make_sounding().uuid])
    response = staff.get(url)
    assert (response.status_code, response.headers["Content-Type"]) == (200, "image/svg+xml")
    picture = response.content.decode()
    assert picture.startswith('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 399 64"')
    assert "private" in response.headers["Cache-Control"]
    again = staff.get(url, headers={"If-None-Match": response.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("clip", [lambda: Clip.objects.create(name="mute.wav"), make_clip])
def test_no_waveform_of_what_is_no_sound(staff: Client, clip: object) -> None:
    assert staff.get(reverse("dashboard:clip_waveform", args=[clip().uuid])).status_code == 404  # type: ignore[operator]
