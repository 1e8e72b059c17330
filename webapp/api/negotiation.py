"""Endpoints that answer with a file, whatever form of answer the client says it would like."""

from collections.abc import Iterable
from typing import Any

from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request

from webapp.api.access import TestView


class AnyForm(BaseContentNegotiation):
    """Errors are told as JSON; the file has the form that it has."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return JSONRenderer(), "application/json"


class FileView(TestView):
    content_negotiation_class: Any = AnyForm
    renderer_classes = (JSONRenderer,)
    pagination_class = None
