"""Screening a test: its rules, what they find, what applying would change, and screenings that can be taken back."""

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from listening_tests.choices import AuditedAction, CheckOutcome, PutTogether, ScreeningRuleName
from listening_tests.models import RuleOutcome, Screening, ScreeningRule
from listening_tests.roles import Action
from listening_tests.screening import counts_by_rule, outcome_rows, screened_raters
from listening_tests.screening_words import fails_where
from listening_tests.services.audit import audit_note
from listening_tests.services.screening import THRESHOLDS
from webapp.api.access import TAKES, TestView, answers
from webapp.api.idempotency import KEY_PARAMETER, idempotent
from webapp.api.pagination import ByPage, NewestFirst
from worker.models import ScreeningAlarm, ScreeningFigure
from worker.screening.rules import rules_of
from worker.screening.selectors import (
    is_out_of_date,
    screening_alarms,
    screening_figures,
    screening_state,
    screenings_of,
)
from worker.screening.services import screening_apply, screening_ask, screening_rules_save, screening_undo


class RuleSerializer(serializers.ModelSerializer[ScreeningRule]):
    fails_where = serializers.SerializerMethodField()

    class Meta:
        model = ScreeningRule
        fields = ("rule", *THRESHOLDS, "fails_where")

    def get_fails_where(self, rule: ScreeningRule) -> str:
        """The rule as it stands, in words."""
        return str(fails_where(rule))


class RuleChangeSerializer(serializers.Serializer[Any]):
    """What is not named stays as it is."""

    rule = serializers.ChoiceField(choices=ScreeningRuleName.choices)
    is_enabled = serializers.BooleanField(required=False)
    limit = serializers.FloatField(required=False)
    at_least = serializers.IntegerField(min_value=1, max_value=10_000, required=False)
    tolerance = serializers.FloatField(required=False)
    how = serializers.ChoiceField(choices=PutTogether.choices, required=False, help_text="Of anchors alone.")
    for_pay = serializers.BooleanField(required=False)
    for_use = serializers.BooleanField(required=False)


class RulesSerializer(serializers.Serializer[Any]):
    rules = serializers.ListField(child=RuleChangeSerializer(), min_length=1, max_length=len(ScreeningRuleName.values))

    def validate_rules(self, rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if len({rule["rule"] for rule in rules}) < len(rules):
            raise serializers.ValidationError("A rule has one set of thresholds. Name each rule once.")
        return rules


class Rules(TestView):
    serializer_class = RuleSerializer
    needs_by_method: ClassVar[dict[str, Action]] = {"PUT": Action.SCREEN}
    pagination_class = None

    @extend_schema(operation_id="screening_rules", responses=answers({200: RuleSerializer(many=True)}))
    def get(self, request: Request, slug: str) -> Response:
        """Every rule with its thresholds, docs/SCREENING.md says what they mean."""
        return Response(self.get_serializer(rules_of(test=self.test), many=True).data)

    @extend_schema(
        operation_id="screening_rules_put",
        request=RulesSerializer,
        responses=answers({200: RuleSerializer(many=True)}, refuses=TAKES),
    )
    def put(self, request: Request, slug: str) -> Response:
        """Saves thresholds, all of them or none, and has the outcomes computed anew. What is not named stays."""
        asked = RulesSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        rules = {rule.rule: rule for rule in rules_of(test=self.test)}
        for change in asked.validated_data["rules"]:
            for name in change.keys() & set(THRESHOLDS):
                setattr(rules[change["rule"]], name, change[name])
        screening_rules_save(test=self.test, rules=list(rules.values()))
        told = "Rules of the screening, through the API"
        audit_note(user=request.user, test=self.test, action=AuditedAction.CHANGED, detail=told)
        return Response(self.get_serializer(rules_of(test=self.test), many=True).data)


class CountsSerializer(serializers.Serializer[Any]):
    rule = serializers.CharField()
    passed = serializers.IntegerField()
    failed = serializers.IntegerField()
    unchecked = serializers.IntegerField()


class FigureSerializer(serializers.ModelSerializer[ScreeningFigure]):
    question = serializers.CharField(source="question.name")
    name = serializers.CharField()

    class Meta:
        model = ScreeningFigure
        fields = ("question", "name", "system", "now", "then")


class AlarmSerializer(serializers.ModelSerializer[ScreeningAlarm]):
    rule = serializers.CharField()
    kind = serializers.CharField()
    sentence = serializers.CharField()

    class Meta:
        model = ScreeningAlarm
        fields = ("rule", "kind", "sentence", "since", "recent_hits", "recent_n", "earlier_hits", "earlier_n", "p")


class PreviewSerializer(serializers.Serializer[Any]):
    asked_at = serializers.DateTimeField(allow_null=True, help_text="Null where nothing waits to be computed.")
    computed_at = serializers.DateTimeField(allow_null=True)
    is_out_of_date = serializers.BooleanField(help_text="Answers came in since.")
    n_raters = serializers.IntegerField()
    n_answers = serializers.IntegerField()
    n_failing = serializers.IntegerField(help_text="Raters who would be left out.")
    n_failing_answers = serializers.IntegerField(help_text="Answers of theirs.")
    digest = serializers.CharField(help_text="Of who fails: what apply takes, so that only what was seen is applied.")
    message = serializers.CharField()
    outcomes = CountsSerializer(many=True, help_text="Of the rules that could check somebody.")
    figures = FigureSerializer(many=True, help_text="Numbers now, and as they would be then.")
    alarms = AlarmSerializer(many=True, help_text="Checks that are to be doubted.")


class Preview(TestView):
    serializer_class = PreviewSerializer

    @extend_schema(operation_id="screening", responses=answers({200: PreviewSerializer}))
    def get(self, request: Request, slug: str) -> Response:
        """What the rules found, and what applying them would change."""
        return Response(self.get_serializer(self.preview()).data)

    def preview(self) -> dict[str, Any]:
        state = screening_state(test=self.test)
        names = ("asked_at", "computed_at", "n_raters", "n_answers", "n_failing", "n_failing_answers")
        counts = counts_by_rule(test=self.test).items()
        return {
            **{name: getattr(state, name) for name in (*names, "digest", "message")},
            "is_out_of_date": is_out_of_date(state=state),
            "outcomes": [{"rule": rule, **vars(counted)} for rule, counted in counts],
            "figures": screening_figures(test=self.test),
            "alarms": screening_alarms(test=self.test),
        }


class Compute(TestView):
    serializer_class = PreviewSerializer
    needs = Action.SCREEN

    @extend_schema(
        operation_id="screening_compute",
        parameters=[KEY_PARAMETER],
        request=None,
        responses=answers({202: None}, refuses=TAKES),
    )
    @idempotent
    def post(self, request: Request, slug: str) -> Response:
        """Has the outcomes computed anew; they are there once `asked_at` of the preview is null."""
        screening_ask(test=self.test)
        return Response(status=status.HTTP_202_ACCEPTED)


class ScreeningSerializer(serializers.ModelSerializer[Screening]):
    created_by = serializers.SerializerMethodField()
    undone_by = serializers.SerializerMethodField()

    class Meta:
        model = Screening
        fields = (
            *("uuid", "created_at", "created_by", "rules", "digest", "n_raters", "n_answers"),
            *("undone_at", "undone_by"),
        )
        read_only_fields = fields

    def get_created_by(self, screening: Screening) -> str | None:
        return screening.created_by.get_username() if screening.created_by else None

    def get_undone_by(self, screening: Screening) -> str | None:
        return screening.undone_by.get_username() if screening.undone_by else None


class ApplySerializer(serializers.Serializer[Any]):
    digest = serializers.CharField(max_length=64, help_text="Of the preview.")


class Apply(TestView):
    serializer_class = ScreeningSerializer
    needs = Action.SCREEN

    @extend_schema(
        operation_id="screening_apply",
        parameters=[KEY_PARAMETER],
        request=ApplySerializer,
        responses=answers({201: ScreeningSerializer, 200: ScreeningSerializer}, refuses=TAKES),
    )
    @idempotent
    def post(self, request: Request, slug: str) -> Response:
        """Leaves out who failed as the preview told. No answer changes; 200 where this was done already."""
        asked = ApplySerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        known = set(screenings_of(test=self.test).values_list("pk", flat=True))
        screening = screening_apply(test=self.test, user=request.user, digest=asked.validated_data["digest"])
        is_new = screening.pk not in known
        if is_new:
            told = f"{screening.n_raters:,} raters, {screening.n_answers:,} answers left out, through the API"
            audit_note(user=request.user, test=self.test, action=AuditedAction.SCREENED, detail=told)
        code = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
        return Response(self.get_serializer(screening).data, status=code)


class Screenings(TestView):
    serializer_class = ScreeningSerializer
    pagination_class = NewestFirst

    @extend_schema(operation_id="screenings_list", responses=answers({200: ScreeningSerializer(many=True)}))
    def get(self, request: Request, slug: str) -> Response:
        """Screenings of a test, the latest first; one that has no `undone_at` is in force."""
        rows = self.paginate_queryset(screenings_of(test=self.test))
        return self.get_paginated_response(self.get_serializer(rows, many=True).data)


class Undo(TestView):
    serializer_class = ScreeningSerializer
    needs = Action.SCREEN

    @extend_schema(
        operation_id="screenings_undo",
        parameters=[KEY_PARAMETER],
        request=None,
        responses=answers({200: ScreeningSerializer}, refuses=TAKES),
    )
    @idempotent
    def post(self, request: Request, slug: str, uuid: UUID) -> Response:
        """Takes in again what the screening alone left out. A repeat changes nothing."""
        found: Any = get_object_or_404(screenings_of(test=self.test).select_related("test"), uuid=uuid)
        screening, was_in_force = screening_undo(screening=found, user=request.user)
        if was_in_force:
            told = f"{screening.n_raters:,} raters, {screening.n_answers:,} answers taken in again, through the API"
            audit_note(user=request.user, test=self.test, action=AuditedAction.UNSCREENED, detail=told)
        return Response(self.get_serializer(screening).data)


class OutcomeFilters(serializers.Serializer[Any]):
    only = serializers.ChoiceField(
        choices=("use", "pay"), required=False, help_text="Raters who fail a rule that counts for this."
    )
    sort = serializers.ChoiceField(
        choices=ScreeningRuleName.choices,
        required=False,
        help_text="By what this rule found; else by how many rules were failed.",
    )
    order = serializers.ChoiceField(choices=("down", "up"), default="down")


class OutcomeSerializer(serializers.ModelSerializer[RuleOutcome]):
    rule = serializers.CharField()
    outcome = serializers.ChoiceField(choices=CheckOutcome.choices)

    class Meta:
        model = RuleOutcome
        fields = ("rule", "version", "outcome", "value", "limit", "n", "for_pay", "for_use", "computed_at")


class ScreenedRaterSerializer(serializers.Serializer[Any]):
    rater = serializers.UUIDField(source="uuid", help_text="A pseudonym.")
    n_failed = serializers.IntegerField(help_text="Rules that the rater fails.")
    fails_use = serializers.IntegerField()
    fails_pay = serializers.IntegerField()
    outcomes = serializers.SerializerMethodField()

    @extend_schema_field(OutcomeSerializer(many=True))
    def get_outcomes(self, rater: Any) -> Any:
        """A rule that is missing could not check the rater."""
        return OutcomeSerializer(self.context["outcomes"][rater.pk].values(), many=True).data


class Outcomes(TestView):
    serializer_class = ScreenedRaterSerializer
    pagination_class = ByPage

    @extend_schema(
        operation_id="screening_outcomes",
        parameters=[OutcomeFilters],
        responses=answers({200: ScreenedRaterSerializer(many=True)}),
    )
    def get(self, request: Request, slug: str) -> Response:
        """What each rule found of each rater, the most doubtful first."""
        filters = OutcomeFilters(data=request.query_params)
        filters.is_valid(raise_exception=True)
        said = filters.validated_data
        raters = screened_raters(
            test=self.test, only=said.get("only", ""), sort=said.get("sort", ""), descending=said["order"] == "down"
        )
        page = self.paginate_queryset(raters) or []
        outcomes = outcome_rows(test=self.test, raters=[rater.pk for rater in page])
        context = {**self.get_serializer_context(), "outcomes": outcomes}
        return self.get_paginated_response(ScreenedRaterSerializer(page, many=True, context=context).data)
