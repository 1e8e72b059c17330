"""What a question to a model needs of the database. It comes many times a second, so each read is compiled once."""

from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import OuterRef, QuerySet, Subquery

from listening_tests.compiled_reads import CompiledRead, columns_of, row_of
from listening_tests.models import ListeningTest
from listening_tests.roles import Account, visible_tests
from worker.models import ModelVersion
from worker.registry import newest_promotions
from worker.scoring.selectors import clips_of_tests


@dataclass(frozen=True)
class AskedTest:
    """`preset` is of the test's plan, blank where it has none. `champions` holds, by each question's name in their
    order, the key of the model in use, None where none is.
    """

    pk: int
    slug: str
    preset: str
    champions: dict[str, int | None]


@dataclass(frozen=True)
class AskedClip:
    """`original` is its file below MEDIA_ROOT; blank where the sound is not here."""

    name: str
    original: str


def asked_test(*, user: Account, slug: str) -> AskedTest | None:
    """None where there is no such test, or `user` may not see it."""
    rows = _tests_read(*_rights(user)).rows(user=user.pk, slug=slug)
    if not rows:
        return None
    pk, _, preset, _, _ = rows[0]
    return AskedTest(pk, slug, preset or "", {name: version for *_, name, version in rows if name is not None})


def asked_clip(*, user: Account, uuid: UUID) -> AskedClip | None:
    """None where there is no such clip in a test that `user` may see."""
    found = _clips_read(*_rights(user)).first(user=user.pk, uuid=uuid)
    return AskedClip(*found) if found else None


def champion_of_asked(*, test: AskedTest, question: str) -> ModelVersion | None:
    """As `worker.registry.champion_of`."""
    version = test.champions[question]
    found = None if version is None else _VERSION.first(pk=version)
    return row_of(ModelVersion, found) if found is not None else None


_VERSION = CompiledRead(lambda pk: ModelVersion.objects.filter(pk=pk).values_list(*columns_of(ModelVersion)), pk=int)


def _rights(user: Account) -> tuple[bool, bool]:
    """What `visible_tests` asks an account for, beside its memberships."""
    is_staff = bool(user.is_active and getattr(user, "is_staff", False))
    return is_staff, is_staff and bool(getattr(user, "is_superuser", False))


@cache
def _tests_read(is_staff: bool, is_superuser: bool) -> CompiledRead:
    def make(user: int, slug: str) -> QuerySet[ListeningTest, Any]:
        tests = _visible(user, is_staff, is_superuser).filter(slug=slug).order_by("questions__id")
        promoted = newest_promotions(test=OuterRef("pk"), question=OuterRef("questions__name"))
        champion = Subquery(promoted.values("version")[:1])
        return tests.values_list("pk", "questions__id", "training_plan__preset", "questions__name", champion)

    return CompiledRead(make, user=int, slug=str)


@cache
def _clips_read(is_staff: bool, is_superuser: bool) -> CompiledRead:
    def make(user: int, uuid: UUID) -> QuerySet[Any, Any]:
        clips = clips_of_tests(tests=_visible(user, is_staff, is_superuser), uuid=uuid)
        return clips.values_list("name", "original")

    return CompiledRead(make, user=int, uuid=UUID)


def _visible(user: int, is_staff: bool, is_superuser: bool) -> QuerySet[ListeningTest]:
    return visible_tests(User(pk=user, is_staff=is_staff, is_superuser=is_superuser))
