"""What the answers are worth. Further numbers of the results pages (worker/results.py) get an endpoint each here."""

from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from webapp.api.access import TestView, answers
from worker.reports import QuestionReport, study_report


class QuestionResultsSerializer(serializers.Serializer[QuestionReport]):
    """Study answers after exclusions; null where a number is undefined."""

    question = serializers.CharField()
    rated_pairs = serializers.IntegerField()
    raters = serializers.IntegerField()
    ratings = serializers.IntegerField(help_text="In a comparison, choices.")
    anchor_ratings = serializers.IntegerField()
    excluded_raters = serializers.IntegerField()
    excluded_ratings = serializers.IntegerField()
    icc1 = serializers.FloatField(allow_null=True)
    reliability = serializers.FloatField(allow_null=True)
    ceiling_srcc = serializers.FloatField(allow_null=True)
    one_vs_rest_srcc = serializers.FloatField(allow_null=True)
    systems = serializers.ListField(
        child=serializers.DictField(), help_text="Of a comparison: systems with their Bradley-Terry scores."
    )


class ResultsSerializer(serializers.Serializer[Any]):
    test = serializers.CharField()
    pairs = serializers.IntegerField(help_text="Study pairs, rated or not.")
    questions = QuestionResultsSerializer(many=True)


class Results(TestView):
    serializer_class = ResultsSerializer

    @extend_schema(operation_id="results", responses=answers({200: ResultsSerializer}, refuses=(422,)))
    def get(self, request: Request, slug: str) -> Response:
        """The numbers of `manage.py study_report`, for each question."""
        report = study_report(test=self.test)
        questions = [
            {"question": name, "systems": report.systems.get(name, []), **asdict(of_question)}
            for name, of_question in report.of_each.items()
        ]
        return Response({"test": report.test, "pairs": report.pairs, "questions": questions})
