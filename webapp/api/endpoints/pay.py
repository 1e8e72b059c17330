"""Who is to be paid for a test, and for what reason: for accounts that may know who raters say they are."""

from typing import Any

from django.http import Http404, HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from listening_tests.choices import AuditedAction, PayVerdict
from listening_tests.models import ListeningTest
from listening_tests.pay import PayLine, pay_list
from listening_tests.pay_files import pay_file, pay_table
from listening_tests.roles import Action
from listening_tests.services.audit import audit_note
from webapp.api.access import TestView, answers
from webapp.api.negotiation import FileView
from webapp.api.pagination import ByPage

_KEPT_NOWHERE = {"Cache-Control": "private, no-store"}


class VerdictSerializer(serializers.Serializer[Any]):
    verdict = serializers.ChoiceField(choices=PayVerdict.choices)
    n = serializers.IntegerField()
    total = serializers.DecimalField(max_digits=20, decimal_places=2, help_text="Without the recruiter's fee.")


class PayFileSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(help_text="Of the address `pay/NAME.csv`.")
    label = serializers.CharField()  # type: ignore[assignment]


class PaySummarySerializer(serializers.Serializer[Any]):
    recruiter = serializers.CharField()
    currency = serializers.CharField()
    verdicts = VerdictSerializer(many=True)
    n_declined = serializers.IntegerField(help_text="Did not want to take part.")
    studies = serializers.ListField(
        child=serializers.CharField(allow_blank=True), help_text="The recruiter's numbers of studies to be paid."
    )
    files = PayFileSerializer(many=True, help_text="What the recruiter's own site takes.")


class PayLineSerializer(serializers.Serializer[PayLine]):
    rater = serializers.UUIDField(help_text="A pseudonym.")
    recruiter = serializers.CharField()
    claimed_id = serializers.CharField(help_text="Who the rater's link says it is; empty where it says nothing.")
    study = serializers.CharField()
    submission = serializers.CharField()
    ended = serializers.CharField()
    verdict = serializers.ChoiceField(choices=PayVerdict.choices)
    reason = serializers.CharField()
    notes = serializers.ListField(child=serializers.CharField())
    amount = serializers.DecimalField(max_digits=8, decimal_places=2, allow_null=True)
    saved = serializers.IntegerField()
    planned = serializers.IntegerField()
    started_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class PayFilters(serializers.Serializer[Any]):
    verdict = serializers.ChoiceField(choices=PayVerdict.choices, required=False)


class StudyFilter(serializers.Serializer[Any]):
    study = serializers.CharField(
        required=False, allow_blank=True, max_length=200, help_text="One of the summary's; else all."
    )


def _note(request: Request, test: ListeningTest, told: str) -> None:
    audit_note(user=request.user, test=test, action=AuditedAction.PAID, detail=f"{told}, through the API")


def _csv(test: ListeningTest, name: str, text: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{test.slug}-{name}.csv"', **_KEPT_NOWHERE}
    return HttpResponse(text, content_type="text/csv; charset=utf-8", headers=headers)


class Summary(TestView):
    serializer_class = PaySummarySerializer
    needs = Action.PAY

    @extend_schema(operation_id="pay", responses=answers({200: PaySummarySerializer}))
    def get(self, request: Request, slug: str) -> Response:
        """How many are to be paid, and how much. The audit log tells of it."""
        listed = pay_list(test=self.test)
        verdicts = [{"verdict": each, "n": listed.counts[each], "total": listed.total(each)} for each in PayVerdict]
        told = {
            "recruiter": listed.recruiter.name,
            "currency": self.test.currency,
            "verdicts": verdicts,
            "n_declined": listed.n_declined,
            "studies": listed.studies,
            "files": listed.recruiter.pay_files,
        }
        _note(request, self.test, "looked at the sums")
        return Response(self.get_serializer(told).data, headers=_KEPT_NOWHERE)


class Lines(TestView):
    serializer_class = PayLineSerializer
    needs = Action.PAY
    pagination_class = ByPage

    @extend_schema(
        operation_id="pay_lines", parameters=[PayFilters], responses=answers({200: PayLineSerializer(many=True)})
    )
    def get(self, request: Request, slug: str) -> Response:
        """Each sitting with its verdict and the reason. The audit log tells of it."""
        filters = PayFilters(data=request.query_params)
        filters.is_valid(raise_exception=True)
        verdict = filters.validated_data.get("verdict")
        lines: Any = [line for line in pay_list(test=self.test).lines if verdict in (None, line.verdict)]
        _note(request, self.test, "looked at")
        response = self.get_paginated_response(self.get_serializer(self.paginate_queryset(lines), many=True).data)
        response.headers["Cache-Control"] = _KEPT_NOWHERE["Cache-Control"]
        return response


class Table(FileView):
    needs = Action.PAY

    @extend_schema(operation_id="pay_table", responses=answers({(200, "text/csv"): OpenApiTypes.STR}))
    def get(self, request: Request, slug: str) -> HttpResponse:
        """The whole list as CSV. The audit log tells of it."""
        text = pay_table(pay_list(test=self.test))
        _note(request, self.test, "downloaded the table")
        return _csv(self.test, "pay", text)


class RecruitersFile(FileView):
    needs = Action.PAY

    @extend_schema(
        operation_id="pay_file",
        parameters=[StudyFilter],
        responses=answers({(200, "text/csv"): OpenApiTypes.STR}),
    )
    def get(self, request: Request, slug: str, name: str) -> HttpResponse:
        """Who is to be paid, as the recruiter's own site takes it. The audit log tells of it."""
        filters = StudyFilter(data=request.query_params)
        filters.is_valid(raise_exception=True)
        try:
            text = pay_file(pay_list(test=self.test), name=name, study=filters.validated_data.get("study"))
        except KeyError as error:
            raise Http404 from error
        _note(request, self.test, f"downloaded {name}")
        return _csv(self.test, name, text)
