"""The sound of a clip, for staff: whole, in part, or not at all."""

import pytest
from django.test import Client
from django.urls import reverse

from listening_tests.models import Clip
from tests.factories import make_clip


def audio_of(clip: Clip) -> str:
    return reverse("dashboard:clip_audio", args=[clip.uuid])


def body(response: object) -> bytes:
    return b"".join(response.streaming_content)  # type: ignore[attr-defined]


def test_it_works(staff: Client) -> None:
    response = staff.get(audio_of(make_clip(content=b"0123456789")))

    assert response.status_code == 200
    assert response.headers["Content-Type"] == "audio/wav"
    assert response.headers["Accept-Ranges"] == "bytes"
    assert "private" in response.headers["Cache-Control"]
    assert body(response) == b"0123456789"


def test_a_range_is_answered_with_that_part(staff: Client) -> None:
    response = staff.get(audio_of(make_clip(content=b"0123456789a")), headers={"Range": "bytes=2-4"})

    assert response.status_code == 206
    assert response.headers["Content-Range"] == "bytes 2-4/11"
    assert body(response) == b"234"


def test_a_range_behind_the_end_is_refused(staff: Client) -> None:
    response = staff.get(audio_of(make_clip(content=b"0123456789b")), headers={"Range": "bytes=50-"})

    assert response.status_code == 416
    assert response.headers["Content-Range"] == "bytes */11"


def test_a_clip_without_audio_is_not_found(staff: Client) -> None:
    assert staff.get(audio_of(Clip.objects.create(name="imported.wav"))).status_code == 404


def test_a_clip_whose_file_is_gone_is_not_found_and_that_is_logged(
    staff: Client, caplog: pytest.LogCaptureFixture
) -> None:
    gone = make_clip()
    gone.rendition.storage.delete(gone.rendition.name)

    assert staff.get(audio_of(gone)).status_code == 404
    assert f"The file {gone.rendition.name} of Clip {gone.pk} is missing." in caplog.text
