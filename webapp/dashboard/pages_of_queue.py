"""What waits and why, what runs and where, and which workers there are."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from listening_tests.models import ListeningTest
from listening_tests.roles import visible_tests
from webapp.dashboard.access import staff_only
from webapp.dashboard.phrases import phase_words, wait_sentence
from worker.models import TrainingRun
from worker.queue_looks import OtherJob, queue_look


@dataclass(frozen=True)
class RunOnQueue:
    """`test` is None where the account does not work on it: then only that there is a run is told."""

    run: TrainingRun
    test: ListeningTest | None
    words: str


@dataclass(frozen=True)
class JobOnQueue:
    job: OtherJob
    test: ListeningTest | None


@require_safe
@staff_only
def queue_page(request: HttpRequest) -> HttpResponse:
    return render(request, "dashboard/queue_page.html", {"section": "queue", **_queue(request)})


@require_safe
@never_cache
@staff_only
def queue_live(request: HttpRequest) -> HttpResponse:
    """The part of the page that refreshes itself."""
    return render(request, "dashboard/parts/queue.html", _queue(request))


def _queue(request: HttpRequest) -> dict[str, Any]:
    look = queue_look()
    seen = set(visible_tests(request.user).order_by().values_list("pk", flat=True))

    def shown(test: ListeningTest) -> ListeningTest | None:
        return test if test.pk in seen else None

    return {
        "look": look,
        "running": [RunOnQueue(run, shown(run.test), phase_words(run.phase)) for run in look.running],
        "waiting": [
            RunOnQueue(one.run, shown(one.run.test), wait_sentence(one, is_known=_is_known(one.behind, seen)))
            for one in look.waiting
        ],
        "others": [JobOnQueue(job, shown(job.test)) for job in look.others],
    }


def _is_known(behind: TrainingRun | OtherJob | None, seen: set[int]) -> bool:
    return behind is not None and behind.test.pk in seen
