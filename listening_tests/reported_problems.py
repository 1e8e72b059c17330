"""What raters reported, for whoever looks after a test: sounds that would not play, and anything else."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max, Q

from listening_tests.choices import SKIP_KINDS, ProblemKind, SessionStatus
from listening_tests.kinds import kind_of
from listening_tests.models import Assignment, Clip, ListeningTest, Presentation, ProblemReport
from listening_tests.services.skips import MOST_SKIPS

CLIPS_SHOWN = 20
REPORTS_SHOWN = 20


@dataclass(frozen=True)
class UnplayableClip:
    """A clip that `n_raters` of the `n_met` raters who came to it, alone or in a trial, could not hear.

    `n_not_loaded` and `n_not_played` are reports of either kind, `last_at` the time of the latest.
    """

    clip: Clip
    n_raters: int
    n_met: int
    n_not_loaded: int
    n_not_played: int
    last_at: datetime


@dataclass(frozen=True)
class EndedBySkips:
    """`n_sittings` that ended, and count as complete, because `n_sounds` would not play; `n_unrated` of them without a
    rating.
    """

    n_sittings: int = 0
    n_unrated: int = 0
    n_sounds: int = MOST_SKIPS


@dataclass(frozen=True)
class ReportedProblems:
    """At most CLIPS_SHOWN of `n_clips` clips, those of most raters first; at most REPORTS_SHOWN of `n_others`.

    `n_unnamed` trials were skipped without a word on which of their clips would not play.
    """

    clips: list[UnplayableClip]
    n_clips: int
    n_unnamed: int
    others: list[ProblemReport]
    n_others: int
    ended: EndedBySkips


def reported_problems(*, test: ListeningTest) -> ReportedProblems:
    reports = ProblemReport.objects.filter(test=test).order_by()
    total = reports.aggregate(
        n_clips=Count("pair__clip", distinct=True, filter=Q(kind__in=SKIP_KINDS)),
        n_unnamed=Count("pk", filter=Q(kind__in=SKIP_KINDS, pair__isnull=True)),
        n_others=Count("pk", filter=Q(kind=ProblemKind.OTHER)),
    )
    others = ProblemReport.objects.filter(test=test, kind=ProblemKind.OTHER)
    others = others.select_related("session__rater", "pair__clip", "assignment__trial__caption")
    return ReportedProblems(
        clips=_unplayable_clips(test) if total["n_clips"] else [],
        n_clips=total["n_clips"],
        n_unnamed=total["n_unnamed"],
        others=list(others[:REPORTS_SHOWN]) if total["n_others"] else [],
        n_others=total["n_others"],
        ended=_ended_by_skips(test) if total["n_clips"] or total["n_unnamed"] else EndedBySkips(),
    )


def n_problems_by_test() -> dict[int, int]:
    """How many reports each test has, by its key; tests without any are not in it."""
    return dict(ProblemReport.objects.order_by().values_list("test").annotate(n=Count("pk")))


def _unplayable_clips(test: ListeningTest) -> list[UnplayableClip]:
    rows = (
        ProblemReport.objects.filter(test=test, kind__in=SKIP_KINDS, pair__isnull=False)
        .order_by()
        .values_list("pair__clip")
        .annotate(
            n_raters=Count("assignment__rater", distinct=True),
            n_not_loaded=Count("pk", filter=Q(kind=ProblemKind.LOAD)),
            n_not_played=Count("pk", filter=Q(kind=ProblemKind.DECODE)),
            last_at=Max("created_at"),
        )
        .order_by("-n_raters", "-last_at")[:CLIPS_SHOWN]
    )
    by_clip = {clip_id: found for clip_id, *found in rows}
    clips, n_met = Clip.objects.in_bulk(by_clip), _n_met(test, by_clip)
    return [
        UnplayableClip(clips[pk], n_raters, n_met.get(pk, n_raters), n_not_loaded, n_not_played, last_at)
        for pk, (n_raters, n_not_loaded, n_not_played, last_at) in by_clip.items()
    ]


def _ended_by_skips(test: ListeningTest) -> EndedBySkips:
    skips = ProblemReport.objects.filter(
        test=test, kind__in=SKIP_KINDS, session__status=SessionStatus.CUT_SHORT, assignment__skipped_at__isnull=False
    )
    by_sitting = skips.order_by().values("session").annotate(n=Count("pk")).filter(n__gte=MOST_SKIPS)
    saved = by_sitting.values_list("session__saved_count", flat=True)
    return EndedBySkips(n_sittings=len(saved), n_unrated=sum(not count for count in saved))


def _n_met(test: ListeningTest, clip_ids: Iterable[int]) -> dict[int, int]:
    """How many raters of the test have answered or skipped each clip, by itself or in a trial."""
    was_met = Q(rated_at__isnull=False) | Q(skipped_at__isnull=False)
    if kind_of(test).leased.has_places:
        assignments = Assignment.objects.filter(was_met, trial__test=test)
        presented = Presentation.objects.filter(assignment__in=assignments, pair__clip__in=clip_ids).order_by()
        return dict(presented.values_list("pair__clip").annotate(n=Count("assignment__rater", distinct=True)))
    met = Assignment.objects.filter(was_met, pair__test=test, pair__clip__in=clip_ids).order_by()
    return dict(met.values_list("pair__clip").annotate(n=Count("rater", distinct=True)))
