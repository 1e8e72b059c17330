"""Uploads of clips for tests: sounds and a manifest in a zip, sent as the page sends them."""

import io
import uuid
import zipfile

from django.contrib.auth.models import User
from django.core.files.base import ContentFile

from listening_tests.choices import TestStatus
from listening_tests.models import ClipImport, ListeningTest
from tests.collection.sounds import encoded, noise
from tests.factories import make_test
from worker.clip_imports import clip_import_execute, clip_import_upload

RATE_HZ = 16_000


def sound(seed: int = 0) -> bytes:
    return encoded(noise(0.2, rate=RATE_HZ, seed=seed), rate=RATE_HZ)


def zipped(members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def manifest(*rows: str, header: str = "file,caption") -> bytes:
    return "\n".join([header, *rows, ""]).encode()


def sounds_and_manifest(number: int) -> dict[str, bytes]:
    rows = [f"{index}.wav,Sound {index}." for index in range(number)]
    return {f"{index}.wav": sound(index) for index in range(number)} | {"m.csv": manifest(*rows)}


def make_researcher() -> User:
    """Without a password, whose hashing would take longer than the rest of a test."""
    return User.objects.get_or_create(username="researcher", defaults={"is_staff": True, "is_superuser": True})[0]


def send(
    members: dict[str, bytes],
    *,
    test: ListeningTest | None = None,
    user: User | None = None,
    beside: bytes | None = None,
    allow_silent: bool = False,
) -> ClipImport:
    made, _ = clip_import_upload(
        test=test or make_test(status=TestStatus.DRAFT),
        uuid=uuid.uuid4(),
        requested_by=user or make_researcher(),
        archive=ContentFile(zipped(members), name="sounds.zip"),
        manifest=None if beside is None else ContentFile(beside, name="beside.csv"),
        allow_silent=allow_silent,
    )
    return made


def carry_out(clip_import: ClipImport) -> ClipImport:
    """What a worker does when the queue gives it the import."""
    clip_import_execute(clip_import_id=clip_import.pk)
    return ClipImport.objects.select_related("test").get(pk=clip_import.pk)
