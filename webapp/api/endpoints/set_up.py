"""The tools that make a test before raters come: anchors, practice, balance, a plan, copies."""

from collections.abc import Callable
from dataclasses import asdict
from decimal import Decimal
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from listening_tests.choices import AuditedAction
from listening_tests.roles import Action
from listening_tests.services.anchors import MOST_ANCHORS, Mismatch, anchors_make, anchors_plan, n_anchors_advised
from listening_tests.services.audit import audit_note
from listening_tests.services.balance import balance_make, balance_of
from listening_tests.services.clones import test_clone
from listening_tests.services.practice import MOST_DRAWS, Fit, PracticeProposal, practice_make, practice_plan
from webapp.api.access import TAKES, TestView, answers
from webapp.api.endpoints.tests import TestSerializer
from webapp.api.idempotency import KEY_PARAMETER, idempotent
from worker.plans import study_plan

# What the page of the plan begins with.
USUAL_SPARE = 0.1


class CloneSerializer(serializers.Serializer[Any]):
    slug = serializers.SlugField(max_length=80, default="", allow_blank=True, help_text="Empty: one that is free.")
    title = serializers.CharField(max_length=200, default="", allow_blank=True)


class Clone(TestView):
    serializer_class = TestSerializer
    needs = Action.SET_UP

    @extend_schema(
        operation_id="tests_clone",
        parameters=[KEY_PARAMETER],
        request=CloneSerializer,
        responses=answers({201: TestSerializer}, refuses=TAKES),
    )
    @idempotent
    def post(self, request: Request, slug: str) -> Response:
        """A draft with the test's settings, questions and sounds, without raters and answers; you are its owner."""
        asked = CloneSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        copy = test_clone(test=self.test, user=request.user, **asked.validated_data)
        told = f"As a copy of {slug}, through the API"
        audit_note(user=request.user, test=copy, action=AuditedAction.CREATED, detail=told)
        return Response(self.get_serializer(copy).data, status=status.HTTP_201_CREATED)


class MadeSerializer(serializers.Serializer[Any]):
    n_made = serializers.IntegerField(help_text="None where they are there, or no sound fits.")


class _Tool(TestView):
    """GET shows what would be made, POST makes it in a draft; a repeat makes nothing more."""

    needs = Action.SET_UP
    noun: ClassVar[str]

    def made(self, request: Request, make: Callable[..., int], **options: int) -> Response:
        n_made = make(test=self.test, **options)
        if n_made:
            told = f"{n_made:,} {self.noun}, through the API"
            audit_note(user=request.user, test=self.test, action=AuditedAction.CHANGED, detail=told)
        return Response({"n_made": n_made})


class AnchorNumberSerializer(serializers.Serializer[Any]):
    n = serializers.IntegerField(
        min_value=0, max_value=MOST_ANCHORS, required=False, help_text="Anchors in all; else as many as are advised."
    )


class MismatchSerializer(serializers.Serializer[Mismatch]):
    clip = serializers.UUIDField(source="sound.clip.uuid")
    own_caption = serializers.CharField(source="sound.caption.text")
    caption = serializers.CharField(source="words.caption.text", help_text="What raters would read under the clip.")


class AnchorsPlanSerializer(serializers.Serializer[Any]):
    n = serializers.IntegerField()
    plan = MismatchSerializer(many=True)


class Anchors(_Tool):
    serializer_class = AnchorNumberSerializer
    noun = "anchors"

    @extend_schema(
        operation_id="anchors_plan",
        parameters=[AnchorNumberSerializer],
        responses=answers({200: AnchorsPlanSerializer}, refuses=(422,)),
    )
    def get(self, request: Request, slug: str) -> Response:
        """The anchors that would bring the test to `n` of them: sounds under the captions of others."""
        n = self.number(request.query_params)
        return Response(AnchorsPlanSerializer({"n": n, "plan": anchors_plan(test=self.test, n=n)}).data)

    @extend_schema(
        operation_id="anchors_make",
        parameters=[KEY_PARAMETER],
        responses=answers({200: MadeSerializer}, refuses=TAKES),
    )
    @idempotent
    def post(self, request: Request, slug: str) -> Response:
        """Brings a draft to `n` anchors."""
        return self.made(request, anchors_make, n=self.number(request.data))

    def number(self, data: Any) -> int:
        asked = AnchorNumberSerializer(data=data)
        asked.is_valid(raise_exception=True)
        return int(asked.validated_data.get("n", n_anchors_advised(test=self.test)))


class DrawSerializer(serializers.Serializer[Any]):
    draw = serializers.IntegerField(
        min_value=0, max_value=MOST_DRAWS, default=0, help_text="Another number chooses other sounds."
    )


class ProposalSerializer(serializers.Serializer[PracticeProposal]):
    fit = serializers.ChoiceField(source="fit.name", choices=[fit.name for fit in Fit])
    clip = serializers.UUIDField(source="clip.uuid")
    caption = serializers.CharField()
    expected = serializers.ListField(
        child=serializers.FloatField(), allow_null=True, help_text="From and to, on the scale of the question."
    )
    n_moved = serializers.SerializerMethodField()

    def get_n_moved(self, proposal: PracticeProposal) -> int:
        return len(proposal.moved)


class PracticePlanSerializer(serializers.Serializer[Any]):
    draw = serializers.IntegerField()
    plan = ProposalSerializer(many=True)


class Practice(_Tool):
    serializer_class = DrawSerializer
    noun = "practice items"

    @extend_schema(
        operation_id="practice_plan",
        parameters=[DrawSerializer],
        responses=answers({200: PracticePlanSerializer}, refuses=(422,)),
    )
    def get(self, request: Request, slug: str) -> Response:
        """The practice that would be made, spread over the scale; `n_moved` study pairs become practice for it."""
        draw = self.draw(request.query_params)
        return Response(PracticePlanSerializer({"draw": draw, "plan": practice_plan(test=self.test, draw=draw)}).data)

    @extend_schema(
        operation_id="practice_make",
        parameters=[KEY_PARAMETER],
        responses=answers({200: MadeSerializer}, refuses=TAKES),
    )
    @idempotent
    def post(self, request: Request, slug: str) -> Response:
        """Makes what was shown, in a draft."""
        return self.made(request, practice_make, draw=self.draw(request.data))

    def draw(self, data: Any) -> int:
        asked = DrawSerializer(data=data)
        asked.is_valid(raise_exception=True)
        return int(asked.validated_data["draw"])


class SystemShareSerializer(serializers.Serializer[Any]):
    system = serializers.CharField(allow_blank=True)
    n_pairs = serializers.IntegerField()
    n_captions = serializers.IntegerField()


class LackingSerializer(serializers.Serializer[Any]):
    caption = serializers.CharField()
    systems = serializers.ListField(child=serializers.CharField(allow_blank=True))


class BalanceSerializer(serializers.Serializer[Any]):
    is_balanced = serializers.BooleanField()
    systems = SystemShareSerializer(many=True)
    n_captions = serializers.IntegerField()
    n_whole = serializers.IntegerField(help_text="Captions with a sound of each system.")
    n_lacking_pairs = serializers.IntegerField(help_text="Study pairs of the other captions: what POST takes out.")
    n_more = serializers.IntegerField(help_text="Sounds that a system has beside its first for a caption.")
    lacking = LackingSerializer(many=True, help_text="The first of the captions that lack a system.")


class Balance(_Tool):
    serializer_class = BalanceSerializer
    noun = "pairs taken out for balance"

    @extend_schema(operation_id="balance_plan", responses=answers({200: BalanceSerializer}))
    def get(self, request: Request, slug: str) -> Response:
        """Whether every system performs every caption."""
        found = balance_of(test=self.test)
        lacking = [{"caption": caption, "systems": systems} for caption, systems in found.lacking]
        told = {**asdict(found), "is_balanced": found.is_balanced, "lacking": lacking}
        return Response(self.get_serializer(told).data)

    @extend_schema(
        operation_id="balance_make",
        parameters=[KEY_PARAMETER],
        request=None,
        responses=answers({200: MadeSerializer}, refuses=TAKES),
    )
    @idempotent
    def post(self, request: Request, slug: str) -> Response:
        """Takes the captions that lack a system out of a draft; `n_made` is how many pairs went."""
        return self.made(request, balance_make)


class PlanFilters(serializers.Serializer[Any]):
    reward = serializers.DecimalField(
        max_digits=8, decimal_places=2, min_value=Decimal(0), required=False, help_text="Else the test's own."
    )
    fee = serializers.FloatField(min_value=0, max_value=2, default=0.0, help_text="The recruiter's share on top.")
    spare = serializers.FloatField(
        min_value=0, max_value=0.9, default=USUAL_SPARE, help_text="The share of sittings that are lost."
    )


class PlanRowSerializer(serializers.Serializer[Any]):
    k = serializers.IntegerField(help_text="Ratings of each pair, or answers to each trial.")
    reliability = serializers.FloatField(help_text="Of the mean of k.")
    error = serializers.FloatField(help_text="Standard error of the mean of k, in points of 0 to 10.")
    n_answers = serializers.IntegerField()
    n_sittings = serializers.IntegerField()
    hours = serializers.FloatField()
    cost = serializers.FloatField(allow_null=True, help_text="Null where no reward is known.")


class PlanSerializer(serializers.Serializer[Any]):
    currency = serializers.CharField()
    n_items = serializers.IntegerField(help_text="Pairs or trials that want k answers.")
    sitting_items = serializers.IntegerField(help_text="Of a whole sitting, practice apart.")
    sitting_seconds = serializers.FloatField()
    icc = serializers.FloatField(help_text="Reliability of a single rating.")
    is_fitted = serializers.BooleanField(help_text="To the test's own ratings; else RELATE's variances.")
    n_ratings = serializers.IntegerField()
    rows = PlanRowSerializer(many=True)


class Plan(TestView):
    serializer_class = PlanSerializer

    @extend_schema(operation_id="plan", parameters=[PlanFilters], responses=answers({200: PlanSerializer}))
    def get(self, request: Request, slug: str) -> Response:
        """What each number of ratings takes and gives: raters, hours, cost, reliability."""
        asked = PlanFilters(data=request.query_params)
        asked.is_valid(raise_exception=True)
        reward = asked.validated_data.get("reward", self.test.reward)
        plan = study_plan(
            test=self.test,
            reward=None if reward is None else float(reward),
            fee=asked.validated_data["fee"],
            spare=asked.validated_data["spare"],
        )
        told = {
            **{name: getattr(plan, name) for name in ("n_items", "icc", "is_fitted", "n_ratings", "rows")},
            "currency": self.test.currency,
            "sitting_items": plan.sitting.pairs,
            "sitting_seconds": plan.sitting.seconds,
        }
        return Response(self.get_serializer(told).data)
