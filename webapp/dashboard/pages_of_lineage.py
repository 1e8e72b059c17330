"""Where a model comes from, a link a step: ratings, snapshot, run, checkpoint; and the files of two of them."""

from uuid import UUID

from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from listening_tests.choices import AuditedAction
from listening_tests.models import ListeningTest
from listening_tests.roles import Action, may
from listening_tests.services.audit import audit_note
from webapp.dashboard.access import find_test, staff_only
from webapp.dashboard.phrases import challenge_words, number
from webapp.dashboard.tabs import tabs_of
from worker.model_files import StoredFile, files_of_model, files_of_snapshot
from worker.model_lists import snapshot_with_runs, versions_of
from worker.models import DatasetSnapshot, ModelVersion
from worker.withdrawn import withdrawn_words


@require_safe
@staff_only
def model_page(request: HttpRequest, slug: str, uuid: UUID) -> HttpResponse:
    test = find_test(request, slug)
    version = get_object_or_404(versions_of(test=test).select_related("run__snapshot__heldout_set"), uuid=uuid)
    context = {
        **_frame(request, test),
        "version": version,
        "run": version.run,
        "snapshot": version.run.snapshot,
        "files": files_of_model(version=version),
        "tuned": number(getattr(version, "tuned_srcc", None)),
        "base": number(getattr(version, "base_srcc", None)),
        "challenge": challenge_words(getattr(version, "challenge", None)),
        "withdrawn": withdrawn_words(version),
    }
    return render(request, "dashboard/model_page.html", context)


@require_safe
@staff_only
def snapshot_page(request: HttpRequest, slug: str, uuid: UUID) -> HttpResponse:
    test = find_test(request, slug)
    snapshot = get_object_or_404(snapshot_with_runs(test=test), uuid=uuid)
    context = {
        **_frame(request, test),
        "snapshot": snapshot,
        "runs": snapshot.runs.all(),
        "files": files_of_snapshot(snapshot=snapshot),
        "withdrawn": withdrawn_words(snapshot),
    }
    return render(request, "dashboard/snapshot_page.html", context)


@require_safe
@staff_only
def model_file(request: HttpRequest, slug: str, uuid: UUID, name: str) -> HttpResponseBase:
    test = find_test(request, slug, Action.EXPORT)
    version = get_object_or_404(ModelVersion, run__test=test, uuid=uuid)
    return _handed_out(request, test, str(version), files_of_model(version=version), name)


@require_safe
@staff_only
def snapshot_file(request: HttpRequest, slug: str, uuid: UUID, name: str) -> HttpResponseBase:
    test = find_test(request, slug, Action.EXPORT)
    snapshot = get_object_or_404(DatasetSnapshot, test=test, uuid=uuid)
    return _handed_out(request, test, f"Snapshot {snapshot.sha256[:12]}", files_of_snapshot(snapshot=snapshot), name)


def _frame(request: HttpRequest, test: ListeningTest) -> dict[str, object]:
    return {
        "section": "tests",
        "test": test,
        "tabs": tabs_of(test=test, user=request.user, current="models_page"),
        "may_export": may(request.user, Action.EXPORT, test),
    }


def _handed_out(
    request: HttpRequest, test: ListeningTest, whose: str, files: list[StoredFile], name: str
) -> HttpResponseBase:
    """Only what is listed: a name is looked up, never put together to a path."""
    found = next((file for file in files if file.name == name), None)
    if found is None:
        raise Http404
    audit_note(user=request.user, test=test, action=AuditedAction.EXPORTED, detail=f"{whose}: {name}")
    return FileResponse(
        found.path.open("rb"),
        as_attachment=True,
        filename=f"{test.slug}-{found.path.name}",
        content_type="application/octet-stream",
    )
