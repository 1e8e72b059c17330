"""Small makers of rows for tests. Each gives a valid row; a test names only what it is about."""

import hashlib
from itertools import count

from django.core.files.base import ContentFile

from listening_tests.choices import PairRole, TestStatus
from listening_tests.models import Caption, Clip, ListeningTest, Pair, Question

_numbers = count(1)


def make_test(*, status: str = TestStatus.OPEN, **fields: object) -> ListeningTest:
    """A test that is open, with the one question that Earmark asks by default."""
    number = next(_numbers)
    test = ListeningTest.objects.create(
        **{"slug": f"test-{number}", "title": f"Test {number}", "status": status} | fields
    )
    Question.objects.create(test=test)
    return test


def make_clip(*, content: bytes | None = None, duration_s: float = 1.0) -> Clip:
    """A clip whose files hold `content`, which need not be sound."""
    content = content or f"clip {next(_numbers)}".encode()
    sha256 = hashlib.sha256(content).hexdigest()
    clip = Clip(sha256=sha256, name=f"{sha256[:8]}.wav", duration_s=duration_s, sample_rate_hz=48_000, channels=1)
    clip.original.save("clip.wav", ContentFile(content), save=False)
    clip.rendition.save("clip.wav", ContentFile(content), save=False)
    clip.save()
    return clip


def make_caption(text: str | None = None) -> Caption:
    text = text or f"Caption {next(_numbers)}"
    return Caption.objects.create(text=text, text_sha256=Caption.digest(text))


def make_pair(test: ListeningTest, *, role: str = PairRole.STUDY, **fields: object) -> Pair:
    values = {"clip": None, "caption": None} | fields
    values["clip"] = values["clip"] or make_clip()
    values["caption"] = values["caption"] or make_caption()
    return Pair.objects.create(test=test, role=role, **values)


def make_pairs(test: ListeningTest, number: int, **fields: object) -> list[Pair]:
    return [make_pair(test, **fields) for _ in range(number)]
