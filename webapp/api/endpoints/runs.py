"""Training runs of a test: asked for, watched, cancelled."""

from dataclasses import asdict
from typing import Any, ClassVar, cast
from uuid import UUID

from django.contrib.auth.base_user import AbstractBaseUser
from django.http import Http404
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from listening_tests.choices import AuditedAction
from listening_tests.roles import Action
from listening_tests.services.audit import audit_note
from webapp.api.access import TAKES, TestView, answers
from webapp.api.idempotency import KEY_PARAMETER, idempotent
from worker.models import RunTrigger, TrainingRun
from worker.selectors import run_by_uuid, run_list, run_metrics
from worker.services import run_cancel, run_request


class RunSerializer(serializers.ModelSerializer[TrainingRun]):
    requested_by = serializers.SerializerMethodField()

    class Meta:
        model = TrainingRun
        fields: tuple[str, ...] = (
            *("uuid", "status", "trigger", "requested_by", "preset", "question", "created_at", "started_at"),
            *("finished_at", "phase", "step", "total_steps", "loss", "seconds_left", "message"),
            *("n_heldout", "n_train", "n_dropped"),
        )
        read_only_fields = fields

    @extend_schema_field(serializers.CharField(allow_null=True, help_text="Null where no account asked."))
    def get_requested_by(self, run: TrainingRun) -> str | None:
        return run.requested_by.get_username() if run.requested_by else None


class EstimateSerializer(serializers.Serializer[Any]):
    value = serializers.FloatField(allow_null=True)
    low = serializers.FloatField(allow_null=True, help_text="Of the 95 % interval.")
    high = serializers.FloatField(allow_null=True)
    n = serializers.IntegerField(help_text="Held-out pairs.")


class MetricsSerializer(serializers.Serializer[Any]):
    """By the names of metrics: srcc, lcc, ktau, mse, agreement."""

    base = serializers.DictField(child=EstimateSerializer())
    tuned = serializers.DictField(child=EstimateSerializer())
    difference = serializers.DictField(child=EstimateSerializer())
    one_vs_rest_srcc = EstimateSerializer(allow_null=True)
    ceiling_srcc = EstimateSerializer(allow_null=True)


class RunReportSerializer(RunSerializer):
    metrics = serializers.SerializerMethodField()
    config = serializers.JSONField(read_only=True)

    class Meta(RunSerializer.Meta):
        fields: tuple[str, ...] = (*RunSerializer.Meta.fields, "config", "metrics")
        read_only_fields = fields

    @extend_schema_field(MetricsSerializer(allow_null=True))
    def get_metrics(self, run: TrainingRun) -> dict[str, Any] | None:
        """Null until it is done."""
        metrics = run_metrics(run=run)
        return asdict(metrics) if metrics else None


class NewRunSerializer(serializers.Serializer[Any]):
    question = serializers.CharField(default="", allow_blank=True, max_length=40)
    preset = serializers.CharField(default="", allow_blank=True, max_length=40)


class Runs(TestView):
    serializer_class = RunSerializer
    needs_by_method: ClassVar[dict[str, Action]] = {"POST": Action.TRAIN}

    @extend_schema(operation_id="runs_list", responses=answers({200: RunSerializer(many=True)}))
    def get(self, request: Request, slug: str) -> Response:
        """The runs of a test, the oldest first."""
        runs = run_list(test=self.test)
        return self.get_paginated_response(self.get_serializer(self.paginate_queryset(runs), many=True).data)

    @extend_schema(
        operation_id="runs_create",
        parameters=[KEY_PARAMETER],
        request=NewRunSerializer,
        responses=answers({201: RunSerializer, 200: RunSerializer}, refuses=TAKES),
    )
    @idempotent
    def post(self, request: Request, slug: str) -> Response:
        """Trains: 201 for a new run, 200 where one is on its way already, which is then the answer."""
        asked = NewRunSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        run, is_new = run_request(
            test=self.test,
            trigger=RunTrigger.PERSON,
            requested_by=cast(AbstractBaseUser, request.user),
            **asked.validated_data,
        )
        if is_new:
            told = f"Run {run.uuid}, {run.question}, through the API"
            audit_note(user=request.user, test=self.test, action=AuditedAction.TRAINED, detail=told)
        code = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
        return Response(self.get_serializer(run).data, status=code)


class OneRun(TestView):
    serializer_class = RunReportSerializer

    @extend_schema(operation_id="runs_read", responses=answers({200: RunReportSerializer}))
    def get(self, request: Request, slug: str, uuid: UUID) -> Response:
        """A run, with its numbers once it is done."""
        return Response(self.get_serializer(self.run(uuid)).data)

    def run(self, uuid: UUID) -> TrainingRun:
        try:
            run = run_by_uuid(uuid=uuid)
        except TrainingRun.DoesNotExist as error:
            raise Http404 from error
        if run.test_id != self.test.pk:
            raise Http404
        return run


class CancelRun(OneRun):
    needs = Action.TRAIN
    http_method_names = ["post", "options"]

    @extend_schema(
        operation_id="runs_cancel",
        parameters=[KEY_PARAMETER],
        request=None,
        responses=answers({200: RunReportSerializer}, refuses=TAKES),
    )
    @idempotent
    def post(self, request: Request, slug: str, uuid: UUID) -> Response:
        """Asks for the run's end. One that has ended stays as it is."""
        return Response(self.get_serializer(run_cancel(run=self.run(uuid))).data)
