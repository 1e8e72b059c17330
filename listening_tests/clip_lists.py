"""Reads of a test's clips and of its uploads, for pages and the API. Nothing here changes a row."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, Exists, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from listening_tests.choices import FindingKind
from listening_tests.models import Clip, ClipImport, ClipImportFinding, ListeningTest, Pair
from listening_tests.roles import Account, visible_tests


@dataclass(frozen=True)
class FindingCount:
    kind: FindingKind
    count: int


def clips_of_test(*, test: ListeningTest, named: str = "", is_silent: bool | None = None) -> QuerySet[Clip]:
    """The clips of the test's pairs by their names, each with `n_pairs` in this test; by a part of their name."""
    pairs = Pair.objects.filter(test=test, clip=OuterRef("pk"))
    counted = pairs.order_by().values("clip").annotate(n=Count("pk")).values("n")
    clips = Clip.objects.filter(Exists(pairs)).order_by("name", "id")
    if named:
        clips = clips.filter(name__icontains=named)
    if is_silent is not None:
        clips = clips.filter(is_silent=is_silent)
    return clips.annotate(n_pairs=Coalesce(Subquery(counted, output_field=IntegerField()), 0))


def clip_of_test(*, test: ListeningTest, uuid: UUID) -> Clip:
    """Raises Clip.DoesNotExist."""
    return clips_of_test(test=test).get(uuid=uuid)


def pairs_of_clip(*, test: ListeningTest, clip: Clip) -> QuerySet[Pair]:
    return Pair.objects.filter(test=test, clip=clip).select_related("caption").order_by("id")


def visible_clip(*, user: Account, uuid: UUID) -> Clip:
    """A clip that `user` may hear: of a test of theirs, any for who may see all. Raises Clip.DoesNotExist."""
    clips = Clip.objects.filter(uuid=uuid)
    if not getattr(user, "is_superuser", False):
        clips = clips.filter(Exists(Pair.objects.filter(clip=OuterRef("pk"), test__in=visible_tests(user))))
    return clips.get()


def imports_of_test(*, test: ListeningTest) -> QuerySet[ClipImport]:
    """The latest first."""
    return ClipImport.objects.filter(test=test).select_related("requested_by")


def import_of_test(*, test: ListeningTest, uuid: UUID) -> ClipImport:
    """Raises ClipImport.DoesNotExist."""
    return imports_of_test(test=test).select_related("test").get(uuid=uuid)


def findings_of_import(*, clip_import: ClipImport, kind: FindingKind) -> QuerySet[ClipImportFinding]:
    """By line."""
    return ClipImportFinding.objects.filter(clip_import=clip_import, kind=kind).order_by("line", "id")


def finding_counts(*, clip_import: ClipImport) -> list[FindingCount]:
    """How many of each kind are kept, what is to be mended first; kinds without any are left out."""
    rows = clip_import.findings.order_by().values_list("kind").annotate(Count("pk"))
    found = dict(rows)
    return [FindingCount(kind, found[kind]) for kind in FindingKind if kind in found]
