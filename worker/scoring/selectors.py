"""Reads of what models say of sounds. Nothing here changes a row."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from listening_tests.models import Clip, ListeningTest, Pair
from worker.models import ModelScore, ModelVersion, PairResult, ScoringJob
from worker.registry import champion_of


def clips_of_tests(*, tests: QuerySet[ListeningTest], uuid: UUID) -> QuerySet[Clip]:
    """The clip, where one of `tests` uses it."""
    used = Exists(Pair.objects.filter(clip=OuterRef("pk"), test__in=tests))
    return Clip.objects.filter(used, uuid=uuid)


def version_of_tests(*, tests: QuerySet[ListeningTest], uuid: UUID) -> ModelVersion | None:
    """The model, where a run of one of `tests` left it."""
    return ModelVersion.objects.filter(uuid=uuid, run__test__in=tests).select_related("run__test").first()


def scorings_of_test(*, test: ListeningTest) -> QuerySet[ScoringJob]:
    """The latest first."""
    return ScoringJob.objects.filter(test=test).select_related("test", "version__run", "requested_by")


def scoring_of_test(*, test: ListeningTest, uuid: UUID) -> ScoringJob | None:
    return scorings_of_test(test=test).filter(uuid=uuid).first()


def scores_of_test(*, test: ListeningTest, question: str) -> QuerySet[ModelScore]:
    """What the model in use for the question says of the test's pairs: none where it has not gone over them yet."""
    champion = champion_of(test=test, question=question)
    rows = ModelScore.objects.filter(version=champion) if champion is not None else ModelScore.objects.none()
    return rows.select_related("version", "pair__clip", "pair__caption").order_by("pk")


def scores_beside(*, rows: Iterable[PairResult], test: ListeningTest, question: str) -> dict[int, ModelScore]:
    """What the model in use says of the pairs of these rows, by the pair's key."""
    keys = [row.pair_id for row in rows]
    champion = champion_of(test=test, question=question)
    if champion is None:
        return {}
    return {score.pair_id: score for score in ModelScore.objects.filter(version=champion, pair__in=keys)}


def scores_by_pair(*, test: ListeningTest, question: str) -> dict[int, tuple[float, float | None, float, bool | None]]:
    """What the model in use says of all pairs, by the pair's key: score, its standard deviation, cosine, and whether it
    has learned from the pair.
    """
    rows = scores_of_test(test=test, question=question).values_list(
        "pair_id", "score", "score_sd", "cosine", "has_learned"
    )
    return {key: (score, sd, cosine, has_learned) for key, score, sd, cosine, has_learned in rows}
