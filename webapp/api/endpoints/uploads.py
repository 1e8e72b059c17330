"""Uploads of clips after they were sent: watched, mended, taken in, cancelled."""

from typing import Any, ClassVar
from uuid import UUID

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from listening_tests.choices import FindingKind
from listening_tests.clip_lists import findings_of_import, import_of_test, imports_of_test
from listening_tests.models import ClipImport, ClipImportFinding
from listening_tests.roles import Action
from listening_tests.services.clip_imports import clip_import_cancel
from webapp.api.access import TAKES, TestView, answers
from webapp.api.idempotency import KEY_PARAMETER, idempotent
from webapp.api.pagination import NewestFirst
from worker.clip_imports import clip_import_accept, clip_import_look_again


class ClipImportSerializer(serializers.ModelSerializer[ClipImport]):
    class Meta:
        model = ClipImport
        fields = (
            *("uuid", "status", "stage", "phase", "done", "total", "n_rows", "n_new", "n_stored", "n_repeated"),
            *("n_failed", "n_bad_rows", "n_problems", "message", "archive_name", "manifest_name", "allow_silent"),
            *("created_at", "finished_at"),
        )
        read_only_fields = fields


class FindingSerializer(serializers.ModelSerializer[ClipImportFinding]):
    class Meta:
        model = ClipImportFinding
        fields = ("kind", "line", "column", "reason")


class FindingFilters(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(
        choices=FindingKind.choices, default=FindingKind.PROBLEM, help_text="Only a problem keeps the rows out."
    )


class ManifestSerializer(serializers.Serializer[Any]):
    manifest = serializers.FileField(help_text="A corrected manifest over the same sounds.")


class Uploads(TestView):
    serializer_class = ClipImportSerializer
    needs = Action.SET_UP
    pagination_class = NewestFirst

    @extend_schema(operation_id="uploads_list", responses=answers({200: ClipImportSerializer(many=True)}))
    def get(self, request: Request, slug: str) -> Response:
        """Uploads of clips, the latest first."""
        rows = self.paginate_queryset(imports_of_test(test=self.test))
        return self.get_paginated_response(self.get_serializer(rows, many=True).data)


class _OneUpload(TestView):
    serializer_class: type[serializers.BaseSerializer[Any]] = ClipImportSerializer
    needs_by_method: ClassVar[dict[str, Action]] = {"POST": Action.SET_UP}

    def found(self, uuid: UUID) -> ClipImport:
        try:
            return import_of_test(test=self.test, uuid=uuid)
        except ClipImport.DoesNotExist as error:
            raise Http404 from error


class OneUpload(_OneUpload):
    @extend_schema(operation_id="uploads_read", responses=answers({200: ClipImportSerializer}))
    def get(self, request: Request, slug: str, uuid: UUID) -> Response:
        """How far an upload is: ask until its status is checked or refused, and after taking it in, done."""
        return Response(self.get_serializer(self.found(uuid)).data)


class Findings(_OneUpload):
    serializer_class = FindingSerializer

    @extend_schema(
        operation_id="uploads_findings",
        parameters=[FindingFilters],
        responses=answers({200: FindingSerializer(many=True)}),
    )
    def get(self, request: Request, slug: str, uuid: UUID) -> Response:
        """What the last look at the manifest found of its rows, by line."""
        filters = FindingFilters(data=request.query_params)
        filters.is_valid(raise_exception=True)
        kind = FindingKind(filters.validated_data["kind"])
        rows = self.paginate_queryset(findings_of_import(clip_import=self.found(uuid), kind=kind))
        return self.get_paginated_response(self.get_serializer(rows, many=True).data)


class TakeIn(_OneUpload):
    @extend_schema(
        operation_id="uploads_take_in",
        parameters=[KEY_PARAMETER],
        request=None,
        responses=answers({202: ClipImportSerializer}, refuses=TAKES),
    )
    @idempotent
    def post(self, request: Request, slug: str, uuid: UUID) -> Response:
        """Queues an upload in which nothing is wrong to be taken in. A repeat changes nothing."""
        accepted = clip_import_accept(clip_import=self.found(uuid), requested_by=request.user)
        return Response(self.get_serializer(accepted).data, status=202)


class Manifest(_OneUpload):
    parser_classes = (MultiPartParser,)

    @extend_schema(
        operation_id="uploads_correct",
        parameters=[KEY_PARAMETER],
        request={"multipart/form-data": ManifestSerializer},
        responses=answers({202: ClipImportSerializer}, refuses=TAKES),
    )
    @idempotent
    def post(self, request: Request, slug: str, uuid: UUID) -> Response:
        """Puts another manifest in the place of the first, and queues another look at every row."""
        asked = ManifestSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        corrected = clip_import_look_again(clip_import=self.found(uuid), manifest=asked.validated_data["manifest"])
        return Response(self.get_serializer(corrected).data, status=202)


class CancelUpload(_OneUpload):
    @extend_schema(
        operation_id="uploads_cancel",
        parameters=[KEY_PARAMETER],
        request=None,
        responses=answers({200: ClipImportSerializer}, refuses=TAKES),
    )
    @idempotent
    def post(self, request: Request, slug: str, uuid: UUID) -> Response:
        """Asks for the end of an upload. One that has ended stays as it is."""
        return Response(self.get_serializer(clip_import_cancel(clip_import=self.found(uuid))).data)
