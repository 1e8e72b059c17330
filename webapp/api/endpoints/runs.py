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
from worker.configuration import KNOBS
from worker.models import RunLogLine, RunTrigger, TrainingPoint, TrainingRun
from worker.run_checkpoints import run_go_on
from worker.run_log import run_log
from worker.run_points import run_points
from worker.selectors import run_by_uuid, run_list, run_metrics
from worker.services import run_cancel, run_request


class RunSerializer(serializers.ModelSerializer[TrainingRun]):
    requested_by = serializers.SerializerMethodField()
    snapshot_sha256 = serializers.SerializerMethodField()

    class Meta:
        model = TrainingRun
        fields: tuple[str, ...] = (
            *("uuid", "status", "trigger", "requested_by", "preset", "question", "created_at", "started_at"),
            *("finished_at", "phase", "step", "total_steps", "loss", "seconds_left", "message"),
            *("n_heldout", "n_train", "n_dropped", "seed", "snapshot_sha256", "code_version", "host", "heartbeat_at"),
            *("attempt", "device", "is_on_gpu", "device_seconds", "peak_memory_bytes", "peak_gpu_memory_bytes"),
            "checkpoint",
        )
        read_only_fields = fields

    @extend_schema_field(serializers.CharField(allow_null=True, help_text="Null where no account asked."))
    def get_requested_by(self, run: TrainingRun) -> str | None:
        return run.requested_by.get_username() if run.requested_by else None

    @extend_schema_field(serializers.CharField(allow_null=True, help_text="Null until the ratings are frozen."))
    def get_snapshot_sha256(self, run: TrainingRun) -> str | None:
        return run.snapshot.sha256 if run.snapshot else None


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
    champion = serializers.DictField(
        child=EstimateSerializer(), help_text="The model in use when the run ended, on the pairs that both share."
    )
    vs_champion = serializers.DictField(child=EstimateSerializer(), help_text="Tuned less champion.")
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
    settings = serializers.DictField(
        child=serializers.JSONField(),
        source="knobs",
        default=dict,
        help_text=f"What is to differ from the preset: {', '.join(KNOBS)}. `losses` are weights by name.",
    )


class PointSerializer(serializers.ModelSerializer[TrainingPoint]):
    class Meta:
        model = TrainingPoint
        fields = ("step", "epoch", "loss", "validation")
        read_only_fields = fields


class LogLineSerializer(serializers.ModelSerializer[RunLogLine]):
    class Meta:
        model = RunLogLine
        fields = ("at", "is_warning", "text")
        read_only_fields = fields


class CourseSerializer(serializers.Serializer[Any]):
    """Some 500 points, evenly spread over the steps, and the last 200 lines of the log."""

    points = PointSerializer(many=True)
    log = LogLineSerializer(many=True)


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


class Course(OneRun):
    serializer_class = CourseSerializer  # type: ignore[assignment]

    @extend_schema(operation_id="runs_course", responses=answers({200: CourseSerializer}))
    def get(self, request: Request, slug: str, uuid: UUID) -> Response:
        """What a run measured step by step, while it trains and after, and its log."""
        run = self.run(uuid)
        return Response(CourseSerializer({"points": run_points(run=run), "log": run_log(run=run)}).data)


class GoOn(OneRun):
    needs = Action.TRAIN
    http_method_names = ["post", "options"]

    @extend_schema(
        operation_id="runs_go_on",
        parameters=[KEY_PARAMETER],
        request=None,
        responses=answers({200: RunReportSerializer}, refuses=TAKES),
    )
    @idempotent
    def post(self, request: Request, slug: str, uuid: UUID) -> Response:
        """Queues a cancelled or errored run again, from its checkpoint. One on its way stays as it is."""
        run, is_changed = run_go_on(run=self.run(uuid))
        if is_changed:
            told = f"Run {run.uuid}, from its checkpoint, through the API"
            audit_note(user=request.user, test=self.test, action=AuditedAction.TRAINED, detail=told)
        return Response(self.get_serializer(run).data)


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
