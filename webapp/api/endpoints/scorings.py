"""Lists of pairs and all pairs of a test through a model: asked for, watched, cancelled, fetched; and stored scores."""

from collections.abc import Mapping
from typing import Any, ClassVar
from uuid import UUID, uuid4

from django.http import FileResponse, Http404
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.parsers import JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from listening_tests.exceptions import Refused
from listening_tests.models import ListeningTest
from listening_tests.roles import Action
from webapp.api.access import TAKES, TestView, answers
from webapp.api.endpoints.score import question_or_refused
from webapp.api.idempotency import KEY_PARAMETER, idempotent
from webapp.api.negotiation import FileView
from webapp.api.pagination import NewestFirst
from webapp.api.questions import QuestionFilter, question_asked
from worker.models import ModelScore, ScoringJob
from worker.scoring.models_in_use import model_in_use, model_of_version
from worker.scoring.pair_lists import LARGEST_BYTES, TOO_LARGE
from worker.scoring.selectors import scores_of_test, scoring_of_test, scorings_of_test, version_of_tests
from worker.scoring.services import list_scoring_request, pairs_scoring_request, scores_path, scoring_cancel


class ScoringSerializer(serializers.ModelSerializer[ScoringJob]):
    model = serializers.SerializerMethodField()
    model_name = serializers.CharField(read_only=True)
    has_scores = serializers.BooleanField(read_only=True, help_text="Whether scores.csv is there.")

    class Meta:
        model = ScoringJob
        fields: tuple[str, ...] = (
            *("uuid", "kind", "status", "question", "model", "model_name", "list_name", "phase", "done", "total"),
            *("message", "created_at", "started_at", "finished_at", "has_scores"),
        )
        read_only_fields = fields

    @extend_schema_field(serializers.UUIDField(allow_null=True, help_text="Null for an untuned model."))
    def get_model(self, job: ScoringJob) -> UUID | None:
        return job.version.uuid if job.version else None


class NewScoringSerializer(serializers.Serializer[Any]):
    question = serializers.SlugField(default="", allow_blank=True, max_length=40, help_text="Empty: the first one.")
    model = serializers.UUIDField(required=False, help_text="A model of the test, in place of the one in use.")


class ListSerializer(NewScoringSerializer):
    pairs = serializers.FileField(help_text="CSV in UTF-8: file,caption; a file is a clip's uuid, sha256 or name.")


class ScoreOfPairSerializer(serializers.ModelSerializer[ModelScore]):
    pair = serializers.UUIDField(source="pair.uuid")
    clip = serializers.UUIDField(source="pair.clip.uuid")
    caption = serializers.CharField(source="pair.caption.text")
    system = serializers.CharField(source="pair.system")
    model = serializers.UUIDField(source="version.uuid")
    has_learned = serializers.BooleanField(
        allow_null=True,
        help_text="Whether the model has learned from the pair's clip or caption; null where it does not say.",
    )

    class Meta:
        model = ModelScore
        fields = ("pair", "clip", "caption", "system", "model", "cosine", "score", "score_sd", "has_learned")


class Scorings(TestView):
    serializer_class = ScoringSerializer
    needs_by_method: ClassVar[dict[str, Action]] = {"POST": Action.TRAIN}
    pagination_class = NewestFirst
    parser_classes = (MultiPartParser, JSONParser)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """What is too large is refused before it is read."""
        super().initial(request, *args, **kwargs)
        if request.method == "POST" and int(request.META.get("CONTENT_LENGTH") or 0) > LARGEST_BYTES + 1024**2:
            raise Refused(TOO_LARGE)

    @extend_schema(operation_id="scorings_list", responses=answers({200: ScoringSerializer(many=True)}))
    def get(self, request: Request, slug: str) -> Response:
        """Scorings of pairs, the latest first."""
        rows = self.paginate_queryset(scorings_of_test(test=self.test))
        return self.get_paginated_response(self.get_serializer(rows, many=True).data)

    @extend_schema(
        operation_id="scorings_create",
        parameters=[KEY_PARAMETER],
        request={"multipart/form-data": ListSerializer, "application/json": NewScoringSerializer},
        responses=answers({202: ScoringSerializer}, refuses=TAKES),
    )
    @idempotent
    def post(self, request: Request, slug: str) -> Response:
        """Queues a list of pairs to be scored, or, without `pairs`, all pairs of the test by the model in use, which
        are then stored. Refused whole, with every line at fault.
        """
        has_list = isinstance(request.data, Mapping) and "pairs" in request.data
        asked = (ListSerializer if has_list else NewScoringSerializer)(data=request.data)
        asked.is_valid(raise_exception=True)
        job = self._list(asked.validated_data) if has_list else self._pairs(asked.validated_data)
        return Response(self.get_serializer(job).data, status=status.HTTP_202_ACCEPTED)

    def _list(self, asked: dict[str, Any]) -> ScoringJob:
        question = question_or_refused(self.test, asked["question"])
        if "model" in asked:
            tests = ListeningTest.objects.filter(pk=self.test.pk)
            version = version_of_tests(tests=tests, uuid=asked["model"])
            if version is None:
                raise Http404
            model = model_of_version(version=version)
        else:
            model = model_in_use(test=self.test, question=question)
        job, _ = list_scoring_request(
            test=self.test,
            question=question.name,
            model=model,
            uuid=uuid4(),
            requested_by=self.request.user,
            pairs=asked["pairs"],
        )
        return job

    def _pairs(self, asked: dict[str, Any]) -> ScoringJob:
        if "model" in asked:
            raise Refused("All pairs of a test are scored by its model in use: leave `model` out, or send a list.")
        question = question_or_refused(self.test, asked["question"])
        job, _ = pairs_scoring_request(test=self.test, question=question.name, requested_by=self.request.user)
        return job


class _OneScoring(TestView):
    serializer_class = ScoringSerializer
    needs_by_method: ClassVar[dict[str, Action]] = {"POST": Action.TRAIN}

    def found(self, uuid: UUID) -> ScoringJob:
        job = scoring_of_test(test=self.test, uuid=uuid)
        if job is None:
            raise Http404
        return job


class OneScoring(_OneScoring):
    @extend_schema(operation_id="scorings_read", responses=answers({200: ScoringSerializer}))
    def get(self, request: Request, slug: str, uuid: UUID) -> Response:
        """How far a scoring is: ask until its status is done, failed, errored or cancelled."""
        return Response(self.get_serializer(self.found(uuid)).data)


class CancelScoring(_OneScoring):
    @extend_schema(
        operation_id="scorings_cancel",
        parameters=[KEY_PARAMETER],
        request=None,
        responses=answers({200: ScoringSerializer}, refuses=TAKES),
    )
    @idempotent
    def post(self, request: Request, slug: str, uuid: UUID) -> Response:
        """Asks for the end of a scoring. One that has ended stays as it is."""
        return Response(self.get_serializer(scoring_cancel(job=self.found(uuid))).data)


class ScoresFile(FileView):
    @extend_schema(
        operation_id="scorings_file", responses=answers({(200, "text/csv"): OpenApiTypes.BINARY}, refuses=(422,))
    )
    def get(self, request: Request, slug: str, uuid: UUID) -> HttpResponseBase:
        """file,caption,cosine,score,score_sd: a line for each pair, in the list's order."""
        job = scoring_of_test(test=self.test, uuid=uuid)
        if job is None:
            raise Http404
        if not job.has_scores:
            raise Refused("There is no table of this scoring: it is not done, or it ended more than 30 days ago.")
        return scores_response(job)


def scores_response(job: ScoringJob) -> FileResponse:
    """The table, streamed."""
    name = f"{job.test.slug}-scores-{str(job.uuid)[:8]}.csv"
    return FileResponse(scores_path(job).open("rb"), as_attachment=True, filename=name, content_type="text/csv")


class Scores(TestView):
    serializer_class = ScoreOfPairSerializer

    @extend_schema(
        operation_id="scores_list",
        parameters=[QuestionFilter],
        responses=answers({200: ScoreOfPairSerializer(many=True)}, refuses=(422,)),
    )
    def get(self, request: Request, slug: str) -> Response:
        """What the model in use says of the test's pairs; nothing until it has gone over them."""
        question = question_asked(request, self.test)
        rows = scores_of_test(test=self.test, question=question.name if question else "")
        return self.get_paginated_response(self.get_serializer(self.paginate_queryset(rows), many=True).data)
