"""Pilots of a test: begun, watched, cancelled and deleted. Nothing of them is ever among the test's own answers."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from listening_tests.choices import AuditedAction
from listening_tests.models import Pilot
from listening_tests.roles import Action
from listening_tests.services.audit import audit_note
from listening_tests.services.pilots import MOST_RATERS, pilot_cancel, pilot_delete, pilots_of
from webapp.api.access import TAKES, TestView, answers, find_test
from webapp.api.idempotency import KEY_PARAMETER, idempotent
from webapp.api.pagination import NewestFirst
from worker.services_pilots import pilot_start


class PilotSerializer(serializers.ModelSerializer[Pilot]):
    test = serializers.CharField(source="test.slug", help_text="The copy that its raters rate: read it as any test.")

    class Meta:
        model = Pilot
        fields = (
            *("uuid", "test", "status", "n_raters", "n_careless", "n_done", "n_answers", "message"),
            *("created_at", "finished_at"),
        )
        read_only_fields = fields


class NewPilotSerializer(serializers.Serializer[Any]):
    n_raters = serializers.IntegerField(min_value=1, max_value=MOST_RATERS, default=12)
    n_careless = serializers.IntegerField(min_value=0, max_value=MOST_RATERS, default=3, help_text="Of them.")


class Pilots(TestView):
    serializer_class = PilotSerializer
    needs = Action.SET_UP
    pagination_class = NewestFirst

    @extend_schema(operation_id="pilots_list", responses=answers({200: PilotSerializer(many=True)}))
    def get(self, request: Request, slug: str) -> Response:
        """The pilots of a test, the latest first."""
        rows = self.paginate_queryset(pilots_of(test=self.test))
        return self.get_paginated_response(self.get_serializer(rows, many=True).data)

    @extend_schema(
        operation_id="pilots_start",
        parameters=[KEY_PARAMETER],
        request=NewPilotSerializer,
        responses=answers({201: PilotSerializer}, refuses=TAKES),
    )
    @idempotent
    def post(self, request: Request, slug: str) -> Response:
        """Lets simulated raters into a copy of the test."""
        asked = NewPilotSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        pilot = pilot_start(test=self.test, **asked.validated_data)
        told = f"{pilot.n_raters} simulated raters, {pilot.n_careless} of them careless, through the API"
        audit_note(user=request.user, test=self.test, action=AuditedAction.PILOTED, detail=told)
        return Response(self.get_serializer(pilot).data, status=status.HTTP_201_CREATED)


class _OnePilot(TestView):
    serializer_class = PilotSerializer
    needs = Action.SET_UP

    def found(self, uuid: UUID) -> Pilot:
        pilot: Pilot = get_object_or_404(pilots_of(test=self.test), uuid=uuid)
        return pilot

    def found_to_end(self, request: Request, uuid: UUID) -> Pilot:
        """The copy is a test with members of its own."""
        pilot = self.found(uuid)
        find_test(request, pilot.test.slug, Action.SET_UP)
        return pilot


class OnePilot(_OnePilot):
    @extend_schema(operation_id="pilots_read", responses=answers({200: PilotSerializer}))
    def get(self, request: Request, slug: str, uuid: UUID) -> Response:
        """How far its raters are."""
        return Response(self.get_serializer(self.found(uuid)).data)

    @extend_schema(operation_id="pilots_delete", responses=answers({204: None}, refuses=(422,)))
    def delete(self, request: Request, slug: str, uuid: UUID) -> Response:
        """Deletes the copy with all that hangs on it."""
        copy = self.found_to_end(request, uuid).test
        pilot_delete(test=copy)
        told = f"Deleted the pilot {copy.slug}, through the API"
        audit_note(user=request.user, test=self.test, action=AuditedAction.PILOTED, detail=told)
        return Response(status=status.HTTP_204_NO_CONTENT)


class CancelPilot(_OnePilot):
    @extend_schema(
        operation_id="pilots_cancel",
        parameters=[KEY_PARAMETER],
        request=None,
        responses=answers({200: PilotSerializer}, refuses=TAKES),
    )
    @idempotent
    def post(self, request: Request, slug: str, uuid: UUID) -> Response:
        """Stops its raters. What they answered stays; a repeat, or one that has ended, changes nothing."""
        return Response(self.get_serializer(pilot_cancel(pilot=self.found_to_end(request, uuid))).data)
