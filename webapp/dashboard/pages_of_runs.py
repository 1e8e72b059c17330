"""The queue and recent runs, a run's page while it is on its way and when it has ended, and its cancelling."""

import json
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from listening_tests.choices import AuditedAction
from listening_tests.exceptions import Refused
from listening_tests.roles import Action, may, visible_tests
from listening_tests.services.audit import audit_note
from webapp.dashboard import charts
from webapp.dashboard.access import staff_only
from webapp.dashboard.phrases import cost_words, duration, phase_words
from webapp.dashboard.redirects import SeeOther
from webapp.dashboard.report_contents import contents_of_run
from webapp.dashboard.report_tables import run_tables
from webapp.dashboard.tables import run_lines
from worker.models import RunStatus, TrainingRun
from worker.run_checkpoints import can_go_on, run_go_on
from worker.run_log import run_log
from worker.run_points import run_points
from worker.run_reports import report_of_run
from worker.selectors import (
    n_runs_ahead,
    run_by_uuid,
    run_predictions,
    run_queue,
    runs_of,
)
from worker.services import run_cancel
from worker.withdrawn import withdrawn_words

RUNS_SHOWN = 50
# Of the pairs in the scatter, the worst in its table; a list of its own has every pair.
PAIRS_SHOWN = 100
LINES_SHOWN = 60


@require_safe
@staff_only
def runs_page(request: HttpRequest) -> HttpResponse:
    return render(request, "dashboard/runs_page.html", {"section": "runs", **_queue_and_recent(request)})


@require_safe
@never_cache
@staff_only
def runs_live(request: HttpRequest) -> HttpResponse:
    """The part of the runs page that refreshes itself."""
    return render(request, "dashboard/parts/queue_and_recent.html", _queue_and_recent(request))


@require_safe
@staff_only
def run_page(request: HttpRequest, uuid: UUID) -> HttpResponse:
    run = _run_or_404(request, uuid)
    return render(request, "dashboard/run_page.html", {"section": "runs", **_state_of(run, request)})


@require_safe
@never_cache
@staff_only
def run_live(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """The part of a run's page that refreshes itself; once the run has ended, its report takes that part's place."""
    run = _run_or_404(request, uuid)
    response = render(request, "dashboard/parts/run.html", _state_of(run, request))
    if not run.is_active:
        response.headers["HX-Reswap"] = "outerHTML"
    return response


@require_POST
@staff_only
def run_stop(request: HttpRequest, uuid: UUID) -> HttpResponseBase:
    """Asks for the run's end. A repeat changes nothing more, nor does a run that has ended."""
    run = _run_or_404(request, uuid)
    if not may(request.user, Action.TRAIN, run.test):
        raise PermissionDenied
    run_cancel(run=run)
    return SeeOther(reverse("dashboard:run_page", args=[uuid]))


@require_POST
@staff_only
def run_continue(request: HttpRequest, uuid: UUID) -> HttpResponseBase:
    """Queues a run again that was cancelled, or that a fault ended. A repeat finds it on its way."""
    run = _run_or_404(request, uuid)
    if not may(request.user, Action.TRAIN, run.test):
        raise PermissionDenied
    try:
        _, is_changed = run_go_on(run=run)
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        if is_changed:
            detail = f"Run {run.uuid}, from its checkpoint"
            audit_note(user=request.user, test=run.test, action=AuditedAction.TRAINED, detail=detail)
    return SeeOther(reverse("dashboard:run_page", args=[uuid]))


def _run_or_404(request: HttpRequest, uuid: UUID) -> TrainingRun:
    try:
        run = run_by_uuid(uuid=uuid)
    except TrainingRun.DoesNotExist as error:
        raise Http404 from error
    if not may(request.user, Action.VIEW, run.test):
        raise Http404
    return run


def _queue_and_recent(request: HttpRequest) -> dict[str, Any]:
    """Runs of the account's tests."""
    tests = visible_tests(request.user)
    queue = run_lines(run_queue().filter(test__in=tests.order_by()))
    ended = runs_of(tests=tests).exclude(pk__in=[line.run.pk for line in queue])
    return {"queue": queue, "recent": run_lines(ended[:RUNS_SHOWN]), "is_live": bool(queue)}


def _state_of(run: TrainingRun, request: HttpRequest) -> dict[str, Any]:
    may_train = may(request.user, Action.TRAIN, run.test)
    points = run_points(run=run)
    state: dict[str, Any] = {
        "course": charts.course(points, run.test),
        "epochs": [point for point in points if point.validation is not None],
        "cost": cost_words(run),
        "log_lines": run_log(run=run, last=LINES_SHOWN)[::-1],
        "run": run,
        "test": run.test,
        "may_cancel": may_train,
        "may_go_on": may_train and can_go_on(run=run),
        "withdrawn": withdrawn_words(run),
        "config": json.dumps(run.config, indent=2, sort_keys=True, ensure_ascii=False) if run.config else "",
    }
    if run.is_active:
        is_queued = run.status == RunStatus.QUEUED
        n_ahead = n_runs_ahead(run=run) if is_queued else 0
        return state | {"phase": phase_words(run.phase), "left": duration(run.seconds_left), "n_ahead": n_ahead}
    return state | _report_of(run, request)


def _report_of(run: TrainingRun, request: HttpRequest) -> dict[str, Any]:
    report = report_of_run(run=run)
    if report is None:
        return {}
    points = run_predictions(run=run)
    tables = run_tables(report, points)
    return contents_of_run(report, tables) | {
        "points": points[:PAIRS_SHOWN],
        "scatter": charts.scatter(points),
        "may_follow_up": may(request.user, Action.SET_UP, run.test),
    }
