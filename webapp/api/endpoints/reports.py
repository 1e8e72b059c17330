"""Reports of runs and of tests, as their pages show them."""

from typing import Any
from uuid import UUID

from django.http import Http404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from webapp.api.access import TestView, answers
from webapp.api.endpoints.runs import OneRun
from webapp.api.questions import QuestionFilter, question_asked
from worker.report_documents import run_document, test_document
from worker.run_reports import finished_runs, report_of_run, report_of_test


class ReportSerializer(serializers.Serializer[Any]):
    """docs/REPORTS.md tells what is in it."""


class RunReport(OneRun):
    # A subclass of OneRun: an address of its own, a run that is found in the same way.
    @extend_schema(operation_id="runs_report", responses=answers({200: OpenApiTypes.OBJECT}))
    def get(self, request: Request, slug: str, uuid: UUID) -> Response:
        """All that a finished run found, with every held-out pair; 404 until it is done."""
        report = report_of_run(run=self.run(uuid))
        if report is None:
            raise Http404
        return Response(run_document(report=report))


class TestReport(TestView):
    __test__ = False  # Not a test case, whatever pytest thinks of its name.
    serializer_class = ReportSerializer

    @extend_schema(
        operation_id="report",
        parameters=[QuestionFilter],
        responses=answers({200: OpenApiTypes.OBJECT}, refuses=(422,)),
    )
    def get(self, request: Request, slug: str) -> Response:
        """A question over all of its finished runs, with the learning curve; 404 where the test asks none."""
        question = question_asked(request, self.test)
        if question is None:
            raise Http404
        report = report_of_test(test=self.test, question=question.name)
        runs = list(finished_runs(test=self.test, question=question.name))
        return Response(test_document(report=report, runs=runs))
