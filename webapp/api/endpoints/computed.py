"""Computed results of a question: what is stored, asked for anew, and by pair and caption."""

from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from listening_tests.exceptions import Refused
from listening_tests.models import Question
from webapp.api.access import TAKES, TestView, answers
from webapp.api.idempotency import KEY_PARAMETER, idempotent
from webapp.api.questions import QuestionFilter, question_asked, question_named
from worker.models import CaptionResult, ComputedResults, ModelScore, PairResult
from worker.results import caption_results, newest_results, pair_results, results_state
from worker.scoring.selectors import scores_beside
from worker.services_of_results import results_request


class ComputedResultsSerializer(serializers.ModelSerializer[ComputedResults]):
    class Meta:
        model = ComputedResults
        fields: tuple[str, ...] = (
            "uuid",
            "status",
            "message",
            "requested_at",
            "started_at",
            "computed_at",
            "n_answers",
            "n_exclusions",
        )
        read_only_fields = fields


class WithSummarySerializer(ComputedResultsSerializer):
    summary = serializers.JSONField(help_text="Systems, differences, agreement and more, as docs/RESULTS.md tells.")

    class Meta(ComputedResultsSerializer.Meta):
        fields = (*ComputedResultsSerializer.Meta.fields, "summary")
        read_only_fields = fields


class StateSerializer(serializers.Serializer[Any]):
    question = serializers.CharField()
    done = WithSummarySerializer(allow_null=True, help_text="The newest results that are there.")
    active = ComputedResultsSerializer(allow_null=True, help_text="Those on their way.")
    failed = ComputedResultsSerializer(allow_null=True, help_text="The last attempt, where it failed.")
    is_stale = serializers.BooleanField(help_text="Something changed since.")
    n_newer = serializers.IntegerField(help_text="Answers that came since.")
    n_gone = serializers.IntegerField(help_text="Answers that were deleted since.")
    is_rescreened = serializers.BooleanField(help_text="Exclusions were made or taken back since.")


class QuestionBodySerializer(serializers.Serializer[Any]):
    question = serializers.SlugField(default="", allow_blank=True, max_length=40, help_text="Empty: the first one.")


def _some(question: Question | None, slug: str) -> Question:
    if question is None:
        raise Refused(f"The test {slug} asks raters no question yet. Add one on its page in the admin.")
    return question


class Computed(TestView):
    serializer_class = StateSerializer

    @extend_schema(
        operation_id="results_computed",
        parameters=[QuestionFilter],
        responses=answers({200: StateSerializer}, refuses=(422,)),
    )
    def get(self, request: Request, slug: str) -> Response:
        """The results of a question as they were last computed, and what has changed since."""
        question = _some(question_asked(request, self.test), slug)
        state = results_state(test=self.test, question=question)
        names = ("done", "active", "failed", "is_stale", "n_newer", "n_gone", "is_rescreened")
        told = {"question": question.name, **{name: getattr(state, name) for name in names}}
        return Response(self.get_serializer(told).data)


class Compute(TestView):
    serializer_class = ComputedResultsSerializer

    @extend_schema(
        operation_id="results_compute",
        parameters=[KEY_PARAMETER],
        request=QuestionBodySerializer,
        responses=answers({202: ComputedResultsSerializer}, refuses=TAKES),
    )
    @idempotent
    def post(self, request: Request, slug: str) -> Response:
        """Has the results computed anew; the answer are those on their way. One at a time, whoever asks."""
        asked = QuestionBodySerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        question = _some(question_named(test=self.test, name=asked.validated_data["question"]), slug)
        results, _ = results_request(test=self.test, question=question)
        return Response(self.get_serializer(results).data, status=status.HTTP_202_ACCEPTED)


class BesideSerializer(serializers.ModelSerializer[ModelScore]):
    """What the model in use says of the pair, on 0 to 10; null until it has gone over the test's pairs."""

    class Meta:
        model = ModelScore
        fields = ("cosine", "score", "score_sd", "has_learned")


class PairResultSerializer(serializers.ModelSerializer[PairResult]):
    pair = serializers.UUIDField(source="pair.uuid")
    caption = serializers.CharField(source="pair.caption.text")
    clip = serializers.UUIDField(source="pair.clip.uuid")
    system = serializers.CharField(source="pair.system")
    model_score = serializers.SerializerMethodField()

    class Meta:
        model = PairResult
        fields = ("pair", "caption", "clip", "system", "mean", "low", "high", "sd", "n", "model_score")

    @extend_schema_field(BesideSerializer(allow_null=True))
    def get_model_score(self, row: PairResult) -> dict[str, Any] | None:
        score = self.context["scores"].get(row.pair_id)
        return BesideSerializer(score).data if score is not None else None


class CaptionResultSerializer(serializers.ModelSerializer[CaptionResult]):
    caption = serializers.CharField(source="caption.text")
    language = serializers.CharField(source="caption.language")

    class Meta:
        model = CaptionResult
        fields = ("caption", "language", "mean", "low", "high", "n_pairs", "n")


class _ResultList(TestView):
    def results(self, request: Request) -> ComputedResults:
        question = question_asked(request, self.test)
        results = newest_results(question=question) if question else None
        if results is None:
            raise Http404
        return results

    def rows(self, rows: Any) -> Response:
        return self.get_paginated_response(self.get_serializer(self.paginate_queryset(rows), many=True).data)


class PairResults(_ResultList):
    serializer_class = PairResultSerializer

    @extend_schema(
        operation_id="results_pairs",
        parameters=[QuestionFilter],
        responses=answers({200: PairResultSerializer(many=True)}, refuses=(422,)),
    )
    def get(self, request: Request, slug: str) -> Response:
        """Mean score and 95 % interval of each pair, of a comparison on 0 to 10, and beside it what the model in use
        says; 404 where nothing is computed.
        """
        results = self.results(request)
        rows = self.paginate_queryset(pair_results(results=results)) or []
        scores = scores_beside(rows=rows, test=self.test, question=results.question.name)
        told = self.get_serializer_class()(rows, many=True, context={**self.get_serializer_context(), "scores": scores})
        return self.get_paginated_response(told.data)


class CaptionResults(_ResultList):
    serializer_class = CaptionResultSerializer

    @extend_schema(
        operation_id="results_captions",
        parameters=[QuestionFilter],
        responses=answers({200: CaptionResultSerializer(many=True)}, refuses=(422,)),
    )
    def get(self, request: Request, slug: str) -> Response:
        """Mean score and 95 % interval of each caption; 404 where nothing is computed."""
        return self.rows(caption_results(results=self.results(request)))
