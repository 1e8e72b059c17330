"""Where a script begins: what there is, and what the columns of answers mean."""

from typing import Any

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView

from listening_tests.answer_files.columns import COLUMNS, Type
from webapp.api.access import answers


class RootSerializer(serializers.Serializer[Any]):
    account = serializers.CharField(help_text="Whose token this is.")
    tests = serializers.URLField(help_text="The tests that the account works on.")
    columns = serializers.URLField(help_text="What the columns of exported answers mean.")
    schema = serializers.URLField(help_text="This API as OpenAPI.")
    docs = serializers.URLField(help_text="This API, to read and to try.")


class ColumnSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    type = serializers.ChoiceField(choices=[kind.value for kind in Type])
    meaning = serializers.CharField()


class Root(APIView):
    @extend_schema(operation_id="root", responses=answers({200: RootSerializer}))
    def get(self, request: Request) -> Response:
        """Where everything begins."""
        told = {
            "account": request.user.get_username(),
            "tests": reverse("api:tests", request=request),
            "columns": reverse("api:columns", request=request),
            "schema": reverse("api:schema", request=request),
            "docs": reverse("api:docs", request=request),
        }
        return Response(told)


class Nowhere(APIView):
    """An address that leads nowhere is told so as everything else is."""

    schema = None

    def get(self, request: Request) -> Response:
        raise Http404

    post = put = patch = delete = get


@csrf_exempt
def nowhere(request: HttpRequest) -> HttpResponseBase:
    """As a function, so that the trail of the browsable pages does not take it for a step on the way."""
    return Nowhere.as_view()(request)


class Columns(APIView):
    @extend_schema(operation_id="columns", responses=answers({200: ColumnSerializer(many=True)}))
    def get(self, request: Request) -> Response:
        """What the columns of exported answers mean, in their order."""
        return Response(ColumnSerializer(COLUMNS, many=True).data)
