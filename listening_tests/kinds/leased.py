"""What is given out to raters: pairs one by one, or trials of several. The same columns, other tables."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, Sum

from listening_tests.models import Assignment, ListeningTest, Pair, Trial, TrialPair

# Ratings can be imported without audio; such a pair cannot be heard here.
_IS_MUTE = Exists(TrialPair.objects.filter(trial=OuterRef("pk"), pair__clip__rendition=""))


@dataclass(frozen=True)
class LeasedRows:
    """Pairs or trials.

    `column` is the assignment's that names one; `mute` finds those with a clip that has no sound; `seconds_path` leads
    to the lengths of their clips. `hearable_sql` is the opposite of `mute` for the written statement of the draw, about
    the row `leased`: scalar, so that PostgreSQL looks at the clips of this row and at no others.
    """

    model: type[Pair] | type[Trial]
    column: str
    mute: Q | Exists
    seconds_path: str
    hearable_sql: str

    @property
    def has_places(self) -> bool:
        return self.model is Trial

    def hearable(self, test: ListeningTest) -> QuerySet[Any]:
        """The rows of a test whose clips can all be heard."""
        rows: QuerySet[Any] = self.model.objects.filter(~self.mute, test=test)
        return rows

    def with_seconds(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """The rows with `seconds`, the length of their clips together."""
        measured: QuerySet[Any] = rows.annotate(seconds=Sum(self.seconds_path))
        return measured

    def leases(self) -> QuerySet[Assignment]:
        """Assignments with all that a page shows of them."""
        if self.has_places:
            return Assignment.objects.select_related("trial__caption").prefetch_related("presentations__pair__clip")
        return Assignment.objects.select_related("pair__clip", "pair__caption")


PAIRS = LeasedRows(
    model=Pair,
    column="pair",
    mute=Q(clip__rendition=""),
    seconds_path="clip__duration_s",
    hearable_sql="(SELECT clip.rendition <> '' FROM listening_tests_clip clip WHERE clip.id = leased.clip_id)",
)
TRIALS = LeasedRows(
    model=Trial,
    column="trial",
    mute=_IS_MUTE,
    seconds_path="pairs__clip__duration_s",
    hearable_sql="""(
        SELECT bool_and(clip.rendition <> '')
        FROM listening_tests_trialpair member
        JOIN listening_tests_pair pair ON pair.id = member.pair_id
        JOIN listening_tests_clip clip ON clip.id = pair.clip_id
        WHERE member.trial_id = leased.id
    )""",
)
