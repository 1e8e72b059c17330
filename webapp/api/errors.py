"""What the API answers where it does not do what was asked: always the same shape, always in full sentences."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions, serializers, status
from rest_framework.renderers import BrowsableAPIRenderer, JSONRenderer
from rest_framework.response import Response
from rest_framework.views import exception_handler, set_rollback

from listening_tests.exceptions import Refused
from listening_tests.services.locks import ChangeRefused
from listening_tests.services.test_status import NotReady
from worker.configuration import SettingsRefused

_SENTENCES: dict[type[Exception], str] = {
    exceptions.NotAuthenticated: "Sign in, or send a token: Authorization: Bearer TOKEN.",
    exceptions.PermissionDenied: "Your role in this test does not allow this. Its owners can change your role.",
    Http404: "There is nothing at this address, or it belongs to a test that you do not work on.",
    PermissionDenied: "Your role in this test does not allow this. Its owners can change your role.",
}
_MOST_PROBLEMS = 1_000


class ProblemSerializer(serializers.Serializer[Any]):
    where = serializers.CharField(help_text="The field, or the line of a file, that it is about; may be empty.")
    message = serializers.CharField()


class ErrorSerializer(serializers.Serializer[Any]):
    """Why something was not done. Nothing has changed then."""

    detail = serializers.CharField(help_text="What is wrong and what to do, in full sentences.")
    problems = ProblemSerializer(many=True, help_text="Each thing that is wrong; empty where `detail` says it all.")


class UnprocessableError(exceptions.APIException):
    """A request that is well formed and cannot be carried out."""

    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY


class BusyError(exceptions.APIException):
    """Taken too often just now, for everybody together; `wait` goes into Retry-After."""

    status_code = status.HTTP_429_TOO_MANY_REQUESTS
    default_detail = "Too many ask just now. Ask again in a second."
    wait = 1


class AwayError(exceptions.APIException):
    """What would answer does not; `wait` goes into Retry-After."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = "What would answer does not run just now. Ask again in a few seconds."
    wait = 5


def answer_to_error(error: Exception, context: dict[str, Any]) -> Response | None:
    """REST_FRAMEWORK's EXCEPTION_HANDLER. Faults of ours are none of its business: they are 500."""
    request = context["request"]
    if not isinstance(getattr(request, "accepted_renderer", None), JSONRenderer | BrowsableAPIRenderer):
        # Also where the address answers with a page or a file.
        request.accepted_renderer, request.accepted_media_type = JSONRenderer(), JSONRenderer.media_type
    if isinstance(error, Refused):
        set_rollback()
        return _answer(status.HTTP_422_UNPROCESSABLE_ENTITY, _headline(error), _problems(error))
    response = exception_handler(error, context)
    if response is None:
        return None
    if isinstance(error, exceptions.ValidationError):
        problems = [{"where": where, "message": told} for where, told in _flat("", error.detail)]
        told = "What was sent cannot be used; each problem is listed." if problems else "What was sent cannot be used."
        return _answer(response.status_code, told, problems)
    kept = {name: response[name] for name in ("WWW-Authenticate", "Retry-After", "Allow") if name in response}
    return _answer(response.status_code, _sentence(error, response), [], headers=kept)


def _answer(code: int, detail: str, problems: list[dict[str, str]], headers: dict[str, str] | None = None) -> Response:
    return Response({"detail": detail, "problems": problems}, status=code, headers=headers)


def _sentence(error: Exception, response: Response) -> str:
    is_worded = isinstance(error, exceptions.APIException) and error.detail != error.default_detail
    if not is_worded and (sentence := _SENTENCES.get(type(error))):
        return sentence
    if isinstance(error, exceptions.Throttled):
        wait = max(1, round(getattr(error, "wait", None) or 1))
        return f"You have asked too often within a minute. Ask again in {wait} seconds."
    return str(response.data.get("detail", "")) if isinstance(response.data, dict) else str(error)


def _headline(refused: Refused) -> str:
    """Without what is listed beside it."""
    told = str(getattr(refused, "headline", refused))
    if isinstance(refused, SettingsRefused):
        return "The run was not started: its settings cannot be used. Each problem is listed."
    is_listed = isinstance(refused, ChangeRefused) or getattr(refused, "problems", None)
    return told.splitlines()[0] if is_listed else told


def _problems(refused: Refused) -> list[dict[str, str]]:
    if isinstance(refused, ChangeRefused | SettingsRefused):
        return [{"where": name, "message": why} for name, why in refused.faults.items()]
    if isinstance(refused, NotReady):
        return [{"where": "", "message": found.sentence} for found in refused.shortcomings]
    found = getattr(refused, "problems", [])[:_MOST_PROBLEMS]
    return [_problem(problem) for problem in found]


def _problem(problem: Any) -> dict[str, str]:
    """Of a manifest's row, or a sentence such as: line 3, score: 'eleven' is no number."""
    if not isinstance(problem, str):
        return {"where": f"line {problem.line}", "message": problem.reason}
    where, colon, told = problem.partition(": ")
    is_of_line = bool(colon) and where.startswith("line ")
    return {"where": where if is_of_line else "", "message": told if is_of_line else problem}


def _flat(where: str, detail: Any) -> list[tuple[str, str]]:
    """DRF's tree of messages as rows, each with the path to its field."""
    if isinstance(detail, dict):
        return [
            row
            for name, below in detail.items()
            for row in _flat(where if name == "non_field_errors" else f"{where}.{name}".strip("."), below)
        ]
    if isinstance(detail, list):
        is_of_items = any(isinstance(below, dict) for below in detail)
        return [
            row
            for number, below in enumerate(detail)
            for row in _flat(f"{where}.{number}".strip(".") if is_of_items else where, below)
        ]
    return [(where, str(detail))]
