"""Reads of what models say of sounds. Nothing here changes a row."""

from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from listening_tests.models import Clip, ListeningTest, Pair
from worker.models import ModelVersion


def clip_of_tests(*, tests: QuerySet[ListeningTest], uuid: UUID) -> Clip | None:
    """The clip, where one of `tests` uses it."""
    used = Exists(Pair.objects.filter(clip=OuterRef("pk"), test__in=tests))
    return Clip.objects.filter(used, uuid=uuid).first()


def version_of_tests(*, tests: QuerySet[ListeningTest], uuid: UUID) -> ModelVersion | None:
    """The model, where a run of one of `tests` left it."""
    return ModelVersion.objects.filter(uuid=uuid, run__test__in=tests).select_related("run__test").first()
