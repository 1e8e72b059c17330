"""Answers: listed page by page, downloaded as a file, and taken in from elsewhere."""

import tempfile
from dataclasses import fields
from pathlib import Path, PurePath
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from listening_tests.answer_downloads import answers_response
from listening_tests.choices import AuditedAction, PairRole
from listening_tests.models import Comparison, Exclusion, Rating
from listening_tests.rating_layouts import LAYOUTS
from listening_tests.roles import Action
from listening_tests.services.audit import audit_note
from listening_tests.services.exports import FORMATS
from listening_tests.services.rating_imports import ratings_import
from listening_tests.wanted_answers import WantedAnswers, answers_wanted
from webapp.api.access import TAKES, TestView, answers
from webapp.api.idempotency import KEY_PARAMETER, idempotent
from webapp.api.negotiation import FileView
from webapp.api.pagination import ByArrival

_WANTED = frozenset(field.name for field in fields(WantedAnswers))


class AnswerFilters(serializers.Serializer[Any]):
    question = serializers.SlugField(required=False, max_length=40, help_text="Answers to this question alone.")
    role = serializers.ChoiceField(choices=PairRole.choices, required=False, help_text="Of pairs of this role alone.")
    rater = serializers.UUIDField(required=False, help_text="Of this rater alone, by the pseudonym.")
    since = serializers.DateTimeField(required=False, help_text="That arrived at this time or later.")
    until = serializers.DateTimeField(required=False, help_text="That arrived before this time.")
    excluded = serializers.ChoiceField(
        choices=("with", "without"), default="with", help_text="without: none that a rule leaves out."
    )

    def wanted(self) -> WantedAnswers:
        said = {name: value for name, value in self.validated_data.items() if name in _WANTED}
        return WantedAnswers(**said, with_excluded=self.validated_data["excluded"] == "with")


class ExportFilters(AnswerFilters):
    format = serializers.ChoiceField(choices=FORMATS, default=FORMATS[0], help_text="The form of the file.")


class ExclusionSerializer(serializers.ModelSerializer[Exclusion]):
    class Meta:
        model = Exclusion
        fields = ("rule", "version", "reason")


class _AnswerSerializer(serializers.ModelSerializer[Any]):
    rater = serializers.UUIDField(source="rater.uuid", help_text="A pseudonym.")
    question = serializers.CharField(source="question.name")
    exclusions = ExclusionSerializer(many=True, help_text="Why analyses leave it out; empty where none does.")


_OF_EACH = ("uuid", "rater", "question", "source", "shown_at", "submitted_at", "late", "too_soon", "exclusions")


class RatingSerializer(_AnswerSerializer):
    pair = serializers.UUIDField(source="pair.uuid")
    caption = serializers.CharField(source="pair.caption.text")
    system = serializers.CharField(source="pair.system")
    role = serializers.ChoiceField(source="pair.role", choices=PairRole.choices)

    class Meta:
        model = Rating
        fields = (
            *("score", "scale_min", "scale_max", "scale_step", "pair", "caption", "system", "role", "place"),
            *("plays", "heard_s", *_OF_EACH),
        )


class ComparisonSerializer(_AnswerSerializer):
    first = serializers.UUIDField(source="first.uuid", help_text="The pair that stood first.")
    second = serializers.UUIDField(source="second.uuid")
    first_system = serializers.CharField(source="first.system")
    second_system = serializers.CharField(source="second.system")
    caption = serializers.CharField(source="first.caption.text")
    role = serializers.ChoiceField(source="trial.role", choices=PairRole.choices)

    class Meta:
        model = Comparison
        fields = (
            *("choice", "first", "second", "first_system", "second_system", "caption", "role"),
            *("first_plays", "first_heard_s", "second_plays", "second_heard_s", *_OF_EACH),
        )


class _AnswersView(TestView):
    pagination_class = ByArrival

    def list(self, request: Request, rows: QuerySet[Any]) -> Response:
        return self.get_paginated_response(self.get_serializer(self.paginate_queryset(rows), many=True).data)

    def wanted(self, request: Request, model: type[Rating] | type[Comparison]) -> QuerySet[Any]:
        filters = AnswerFilters(data=request.query_params)
        filters.is_valid(raise_exception=True)
        rows = answers_wanted(test=self.test, wanted=filters.wanted())
        # A test has the one or the other.
        return rows if rows.model is model else model._default_manager.none()


class Ratings(_AnswersView):
    serializer_class = RatingSerializer

    @extend_schema(
        operation_id="ratings_list",
        parameters=[AnswerFilters],
        responses=answers({200: RatingSerializer(many=True)}, refuses=(422,)),
    )
    def get(self, request: Request, slug: str) -> Response:
        """Scores, in the order in which they arrived; none where raters choose between two."""
        rows = self.wanted(request, Rating).select_related("rater", "question", "pair__caption")
        return self.list(request, rows.prefetch_related("exclusions"))


class Comparisons(_AnswersView):
    serializer_class = ComparisonSerializer

    @extend_schema(
        operation_id="comparisons_list",
        parameters=[AnswerFilters],
        responses=answers({200: ComparisonSerializer(many=True)}, refuses=(422,)),
    )
    def get(self, request: Request, slug: str) -> Response:
        """Choices between two, in the order in which they arrived; none where raters score."""
        wanted = ("rater", "question", "trial", "first__caption", "second")
        rows = self.wanted(request, Comparison).select_related(*wanted)
        return self.list(request, rows.prefetch_related("exclusions"))


class Export(FileView):
    needs = Action.EXPORT

    @extend_schema(
        operation_id="export",
        parameters=[ExportFilters],
        responses=answers(
            {
                (200, "text/csv"): OpenApiTypes.STR,
                (200, "application/jsonl"): OpenApiTypes.STR,
                (200, "application/vnd.apache.parquet"): OpenApiTypes.BINARY,
            },
            refuses=(422,),
        ),
    )
    def get(self, request: Request, slug: str) -> HttpResponseBase:
        """Every answer with everything that is known of it, streamed as a file. The audit log tells of it."""
        filters = ExportFilters(data=request.query_params)
        filters.is_valid(raise_exception=True)
        wanted, file_format = filters.wanted(), filters.validated_data["format"]
        rows = answers_wanted(test=self.test, wanted=wanted)
        told = f"As {file_format} through the API: {wanted}"
        audit_note(user=request.user, test=self.test, action=AuditedAction.EXPORTED, detail=told)
        return answers_response(answers=rows, file_format=file_format, name=self.test.slug)


class ImportSerializer(serializers.Serializer[Any]):
    file = serializers.FileField(help_text="CSV; of the layout earmark also .jsonl or .parquet, by the name's ending.")
    layout = serializers.ChoiceField(choices=sorted(LAYOUTS))


class ImportedSerializer(serializers.Serializer[Any]):
    summary = serializers.CharField(help_text="What came in, in sentences.")
    new = serializers.IntegerField()
    known = serializers.IntegerField(help_text="Answers that were there already, and stay as they are.")
    left_out = serializers.IntegerField(help_text="Of raters who have withdrawn.")


class Imports(TestView):
    serializer_class = ImportSerializer
    needs = Action.SET_UP
    parser_classes = (MultiPartParser,)

    @extend_schema(
        operation_id="ratings_import",
        parameters=[KEY_PARAMETER],
        request={"multipart/form-data": ImportSerializer},
        responses=answers({201: ImportedSerializer}, refuses=TAKES),
    )
    @idempotent
    def post(self, request: Request, slug: str) -> Response:
        """Takes answers from elsewhere into the test: all of them, or none where a row cannot be used. The same file
        again changes nothing.
        """
        asked = self.get_serializer(data=request.data)
        asked.is_valid(raise_exception=True)
        upload, layout = asked.validated_data["file"], asked.validated_data["layout"]
        with tempfile.TemporaryDirectory(prefix="earmark-import-") as folder:
            path = _stored(upload, Path(folder))
            summary = ratings_import(path=path, layout=layout, slug=self.test.slug)
        audit_note(user=request.user, test=self.test, action=AuditedAction.IMPORTED, detail=str(summary))
        told = {name: getattr(summary, name) for name in ("new", "known", "left_out")}
        return Response({"summary": str(summary), **told}, status=status.HTTP_201_CREATED)


def _stored(upload: "UploadedFile[bytes]", folder: Path) -> Path:
    """The file on disk, under a name of ours with the ending of its own, which says what it is."""
    ending = PurePath(upload.name or "").suffix.lower()
    path = folder / f"upload{ending if ending in {'.csv', '.jsonl', '.parquet'} else '.csv'}"
    with path.open("wb") as file:
        for chunk in upload.chunks():
            file.write(chunk)
    return path
