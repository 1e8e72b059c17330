"""Answers as a download: the same file from the admin, the dashboard and the API."""

from typing import Any

from django.db.models import QuerySet
from django.http import StreamingHttpResponse

from listening_tests.services.exports import answers_stream

CONTENT_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/jsonl",
    "parquet": "application/vnd.apache.parquet",
}


def answers_response(*, answers: QuerySet[Any], file_format: str, name: str) -> StreamingHttpResponse:
    """A file `name`.FORMAT that comes as it is read. Raises Refused for a format that there is not."""
    pieces = answers_stream(answers=answers, file_format=file_format)
    response = StreamingHttpResponse(pieces, content_type=CONTENT_TYPES[file_format])
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.{file_format}"'
    response.headers["Cache-Control"] = "private, no-store"
    # A reverse proxy that keeps the whole before it hands on would need its disk for it.
    response.headers["X-Accel-Buffering"] = "no"
    return response
