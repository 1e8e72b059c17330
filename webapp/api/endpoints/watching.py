"""A test as it is collected: live numbers, its raters under pseudonyms, its pairs or trials by their numbers."""

from typing import Any
from uuid import UUID

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from listening_tests.choices import PairRole, TestKind
from listening_tests.models import Pair, Rater, Session, Trial
from webapp.api.access import TestView, answers
from webapp.api.endpoints.ratings import ExclusionSerializer
from webapp.api.pagination import ByPage
from webapp.api.questions import QuestionFilter, question_asked
from worker.closer_looks import SeenAnswer, pair_look, rater_look, trial_look
from worker.item_lists import ITEM_SORTS, PairLine, TrialLine, item_list
from worker.live import live_test
from worker.rater_lists import RATER_SORTS, RaterLine, rater_list

Numbers = serializers.Serializer[Any]


def _sort_field(names: tuple[str, ...], default: str) -> serializers.ChoiceField:
    return serializers.ChoiceField(
        choices=[sign + name for name in names for sign in ("", "-")],
        default=default,
        help_text="With a minus the highest first; what is not defined comes last either way.",
    )


class QuartilesSerializer(Numbers):
    low = serializers.FloatField(allow_null=True, help_text="The lower quartile.")
    median = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True, help_text="The upper quartile.")
    n = serializers.IntegerField()


class ItemsWithAnswersSerializer(Numbers):
    n_answers = serializers.IntegerField()
    n_items = serializers.IntegerField(help_text="Study pairs or trials that have so many answers.")


class CoverageSerializer(Numbers):
    k = serializers.IntegerField()
    n_items = serializers.IntegerField(help_text="Study pairs, or trials.")
    n_full = serializers.IntegerField(help_text="Of them, those with k answers or more.")
    n_in_k = serializers.IntegerField(help_text="With anchors and gold pairs.")
    n_missing = serializers.IntegerField(help_text="Answers that are wanted still.")
    is_complete = serializers.BooleanField()
    by_answers = ItemsWithAnswersSerializer(many=True)


class PageCountSerializer(Numbers):
    name = serializers.CharField()
    n_reached = serializers.IntegerField()
    n_there = serializers.IntegerField()
    n_left = serializers.IntegerField(help_text="Have gone away, and may come back.")
    n_ended = serializers.IntegerField(help_text="Were ended there by a check.")
    n_withdrew = serializers.IntegerField()


class SittingPagesSerializer(Numbers):
    n_sittings = serializers.IntegerField()
    n_at_work = serializers.IntegerField()
    pages = PageCountSerializer(many=True, help_text="In their order: where raters leave.")


class UnplayableClipSerializer(Numbers):
    clip = serializers.UUIDField(source="clip.uuid")
    name = serializers.CharField(source="clip.name")
    n_raters = serializers.IntegerField(help_text="Who could not hear it.")
    n_met = serializers.IntegerField(help_text="Who came to it.")
    n_not_loaded = serializers.IntegerField()
    n_not_played = serializers.IntegerField()
    last_at = serializers.DateTimeField()


class ProblemsSerializer(Numbers):
    n_clips = serializers.IntegerField(help_text="Clips that somebody could not hear.")
    n_unnamed = serializers.IntegerField(help_text="Trials skipped without a word on which clip it was.")
    n_others = serializers.IntegerField(help_text="Reports of something else; their words are on the test's page.")
    clips = UnplayableClipSerializer(many=True, help_text="The worst of them.")


class CostSerializer(Numbers):
    n_paid = serializers.IntegerField()
    n_screened = serializers.IntegerField()
    reward = serializers.DecimalField(max_digits=8, decimal_places=2, allow_null=True)
    currency = serializers.CharField()
    amount = serializers.DecimalField(
        max_digits=20, decimal_places=2, allow_null=True, help_text="Without the recruiter's fee."
    )


class PaceSerializer(Numbers):
    n_answers = serializers.IntegerField()
    since = serializers.DateTimeField()
    per_hour = serializers.FloatField()
    ends_at = serializers.DateTimeField(allow_null=True, help_text="Null where too few answers came to tell.")


class LiveSerializer(Numbers):
    at = serializers.DateTimeField(help_text="When it was counted.")
    is_going_on = serializers.BooleanField()
    n_answering = serializers.IntegerField(help_text="Raters who answered within the last five minutes.")
    last_answer_at = serializers.DateTimeField(allow_null=True)
    coverage = CoverageSerializer()
    sittings = SittingPagesSerializer()
    seconds = QuartilesSerializer(help_text="From an item's being shown to its answer, of the latest answers.")
    problems = ProblemsSerializer()
    cost = CostSerializer()
    pace = PaceSerializer()


class Live(TestView):
    serializer_class = LiveSerializer

    @extend_schema(operation_id="live", responses=answers({200: LiveSerializer}))
    def get(self, request: Request, slug: str) -> Response:
        """Coverage, who is at work, where raters leave, pace, failed sounds, cost."""
        return Response(self.get_serializer(live_test(test=self.test)).data)


class RaterSerializer(serializers.Serializer[RaterLine]):
    rater = serializers.UUIDField(source="rater.uuid", help_text="A pseudonym.")
    n_answers = serializers.IntegerField(help_text="Of every role but practice.")
    n_left_out = serializers.IntegerField()
    n_too_soon = serializers.IntegerField()
    n_late = serializers.IntegerField()
    mean = serializers.FloatField(allow_null=True, help_text="Of study answers, as the numbers after it.")
    sd = serializers.FloatField(allow_null=True)
    n_shared = serializers.IntegerField(help_text="Items that others answered too.")
    offset = serializers.FloatField(allow_null=True, help_text="Mean distance from the others.")
    agreement = serializers.FloatField(allow_null=True, help_text="Correlation with the mean of the others.")
    agreement_se = serializers.FloatField(allow_null=True)
    seconds = serializers.FloatField(allow_null=True, help_text="Spent on rated items.")
    device = serializers.CharField(help_text="As the rater said; may be empty.")
    headphones = serializers.CharField(help_text="What the check found; empty where there was none.")


class RaterFilters(QuestionFilter):
    sort = _sort_field(RATER_SORTS, "-n_answers")


class Raters(TestView):
    serializer_class = RaterSerializer
    pagination_class = ByPage

    @extend_schema(
        operation_id="raters_list",
        parameters=[RaterFilters],
        responses=answers({200: RaterSerializer(many=True)}, refuses=(422,)),
    )
    def get(self, request: Request, slug: str) -> Response:
        """What each rater did with the scale, how they agree with the others, and the time they took."""
        filters = RaterFilters(data=request.query_params)
        filters.is_valid(raise_exception=True)
        question = question_asked(request, self.test)
        rows: Any = rater_list(test=self.test, question=question, sort=filters.validated_data["sort"])
        return self.get_paginated_response(self.get_serializer(self.paginate_queryset(rows), many=True).data)


class SittingSerializer(serializers.ModelSerializer[Session]):
    outcome = serializers.CharField(help_text="How it ended; empty where it has not.")

    class Meta:
        model = Session
        fields = ("status", "outcome", "started_at", "finished_at", "planned_count", "saved_count")
        read_only_fields = fields


class BinSerializer(Numbers):
    label = serializers.CharField()  # type: ignore[assignment]
    n = serializers.IntegerField()


class RaterLookSerializer(Numbers):
    line = RaterSerializer()
    sittings = SittingSerializer(many=True, source="sessions")
    scale_use = BinSerializer(many=True, help_text="How often each value, or place, was chosen.")
    seconds = QuartilesSerializer()
    replayed = serializers.FloatField(allow_null=True, help_text="Share of sounds started more than once.")
    heard = serializers.FloatField(allow_null=True, help_text="Median share of a clip that was heard.")
    n_answers = serializers.IntegerField(help_text="`ratings/?rater=` lists them.")


class OneRater(TestView):
    serializer_class = RaterLookSerializer

    @extend_schema(
        operation_id="raters_read",
        parameters=[QuestionFilter],
        responses=answers({200: RaterLookSerializer}, refuses=(422,)),
    )
    def get(self, request: Request, slug: str, uuid: UUID) -> Response:
        """One rater closely, under the pseudonym."""
        rater: Any = get_object_or_404(Rater, uuid=uuid)
        look = rater_look(test=self.test, rater=rater, question=question_asked(request, self.test))
        if look is None:
            raise Http404
        return Response(self.get_serializer(look).data)


class ItemFilters(QuestionFilter):
    role = serializers.ChoiceField(choices=PairRole.choices, required=False)
    system = serializers.CharField(required=False, max_length=120)
    sort = _sort_field(ITEM_SORTS, "item")


class ItemSerializer(serializers.Serializer[PairLine | TrialLine]):
    """A pair with its scores; in a comparison a trial with its choices."""

    uuid = serializers.SerializerMethodField()
    caption = serializers.SerializerMethodField()
    role = serializers.SerializerMethodField()
    system = serializers.SerializerMethodField()
    n = serializers.IntegerField(help_text="Answers that count.")
    mean = serializers.FloatField(allow_null=True, required=False)
    sd = serializers.FloatField(allow_null=True, required=False)
    preferred = serializers.SerializerMethodField()

    def get_uuid(self, line: PairLine | TrialLine) -> UUID:
        return _item(line).uuid

    def get_caption(self, line: PairLine | TrialLine) -> str:
        return str(_item(line).caption.text)

    def get_role(self, line: PairLine | TrialLine) -> str:
        return str(_item(line).role)

    def get_system(self, line: PairLine | TrialLine) -> str:
        """Empty of a trial."""
        return line.pair.system if isinstance(line, PairLine) else ""

    def get_preferred(self, line: PairLine | TrialLine) -> dict[str, int] | None:
        """Of a trial how often each pair, by its uuid, was preferred, and neither (an empty name); null of a pair."""
        if isinstance(line, PairLine):
            return None
        return {str(line.lower.uuid): line.n_lower, str(line.higher.uuid): line.n_higher, "": line.n_neither}


def _item(line: PairLine | TrialLine) -> Pair | Trial:
    return line.pair if isinstance(line, PairLine) else line.trial


class Items(TestView):
    serializer_class = ItemSerializer
    pagination_class = ByPage

    @extend_schema(
        operation_id="items_list",
        parameters=[ItemFilters],
        responses=answers({200: ItemSerializer(many=True)}, refuses=(422,)),
    )
    def get(self, request: Request, slug: str) -> Response:
        """The pairs of a test, of a comparison its trials, by what was answered to them."""
        filters = ItemFilters(data=request.query_params)
        filters.is_valid(raise_exception=True)
        said = {name: filters.validated_data.get(name, "") for name in ("role", "system", "sort")}
        rows: Any = item_list(test=self.test, question=question_asked(request, self.test), **said)
        return self.get_paginated_response(self.get_serializer(self.paginate_queryset(rows), many=True).data)


class SeenAnswerSerializer(serializers.Serializer[SeenAnswer]):
    uuid = serializers.UUIDField(source="answer.uuid")
    rater = serializers.UUIDField(source="answer.rater.uuid")
    score = serializers.SerializerMethodField()
    choice = serializers.SerializerMethodField()
    submitted_at = serializers.DateTimeField(source="answer.submitted_at")
    seconds = serializers.FloatField(allow_null=True)
    exclusions = ExclusionSerializer(many=True)

    def get_score(self, seen: SeenAnswer) -> float | None:
        """Null of a choice."""
        return getattr(seen.answer, "score", None)

    def get_choice(self, seen: SeenAnswer) -> str | None:
        """The uuid of the pair that was preferred, empty where neither was; null of a score."""
        choice = getattr(seen.answer, "choice", None)
        if choice is None:
            return None
        chosen = {"first": "first", "second": "second"}.get(choice)
        return str(getattr(seen.answer, chosen).uuid) if chosen else ""


class ItemLookSerializer(Numbers):
    line = ItemSerializer()
    n_answers = serializers.IntegerField()
    answers = SeenAnswerSerializer(many=True, help_text="At most 500, also those that are left out.")


class OneItem(TestView):
    serializer_class = ItemLookSerializer

    @extend_schema(
        operation_id="items_read",
        parameters=[QuestionFilter],
        responses=answers({200: ItemLookSerializer}, refuses=(422,)),
    )
    def get(self, request: Request, slug: str, uuid: UUID) -> Response:
        """Every answer to one pair, of a comparison to one trial."""
        question = question_asked(request, self.test)
        if self.test.kind == TestKind.COMPARISON:
            try:
                trial = trial_look(test=self.test, trial_uuid=uuid, question=question)
            except Trial.DoesNotExist as error:
                raise Http404 from error
            return Response(self.get_serializer(trial).data)
        rows = Pair.objects.filter(test=self.test).select_related("test", "clip", "caption")
        pair: Any = get_object_or_404(rows, uuid=uuid)
        look = pair_look(pair=pair, question=question)
        line = PairLine(look.pair, look.n, look.mean, look.sd)
        return Response(self.get_serializer({"line": line, "n_answers": look.n_answers, "answers": look.answers}).data)
