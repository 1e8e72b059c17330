"""The API keeps to its OpenAPI schema, whatever it is sent: no fault of ours, and no answer that the schema does not
tell of. `make prove PROOFS=api_schema` asks at length.
"""

import re

import pytest
import schemathesis
from django.contrib.auth.models import User
from django.core.signals import request_finished, request_started
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from listening_tests.choices import Role
from listening_tests.models import Member
from tests.webapp.api import Script, make_script, make_whole_test
from webapp.api.throttling import TokenThrottle
from webapp.wsgi import application

pytestmark = pytest.mark.django_db

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# Of each kind: what the schema allows, and what it does not.
N_EXAMPLES = 1


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> tuple[Script, dict[str, str]]:
    """A script, and what stands behind the parts of addresses."""
    monkeypatch.setattr(TokenThrottle, "allow_request", lambda *_: True)
    test, uuids = make_whole_test()
    script = make_script(test)
    pilot = test.pilots.get()
    Member.objects.create(test=pilot, user=User.objects.get(), role=Role.OWNER)
    return script, {"slug": test.slug, "username": "script", "name": "approve-submissions", **uuids}


def test_it_works(known: tuple[Script, dict[str, str]], monkeypatch: pytest.MonkeyPatch) -> None:
    script, named = known
    schema = schemathesis.openapi.from_dict(script.get("schema/", Accept="application/json").json())
    schema.app = application
    # Asked as by a server, and all the same within the test's own transaction.
    for signal in (request_started, request_finished):
        monkeypatch.setattr(signal, "receivers", [])
    asked, failed = [], {}
    for result in schema.get_all_operations():
        operation = result.ok()
        asked.append(operation.label)
        for mode in GenerationMode:
            try:
                _ask(operation, mode, script, named)
            except FailureGroup as group:
                failed[operation.label] = [str(failure) for failure in group.exceptions]
    assert not failed
    assert len(asked) > 60


def _ask(operation: object, mode: GenerationMode, script: Script, named: dict[str, str]) -> None:
    """Rows that are there stand behind most addresses, so that what comes after finding them is asked too."""
    path = operation.path  # type: ignore[attr-defined]
    parts = {part: named.get(part) or named[before] for before, part in re.findall(r"([\w-]+)/{(\w+)}", path)}

    @given(case=operation.as_strategy(generation_mode=mode))  # type: ignore[attr-defined]
    @settings(
        max_examples=N_EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: Case) -> None:
        case.path_parameters = {**(case.path_parameters or {}), **parts}
        with transaction.atomic():
            case.call_and_validate(headers=script.headers, checks=CHECKS)
            transaction.set_rollback(True)

    ask()
