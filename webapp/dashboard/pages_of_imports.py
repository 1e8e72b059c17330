"""Uploads of clips: the form, an upload's dry run with every bad row, its taking in, and its end."""

import uuid as uuids
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_POST, require_safe

from listening_tests.choices import FindingKind, TestStatus
from listening_tests.clip_lists import finding_counts, findings_of_import, import_of_test, imports_of_test
from listening_tests.exceptions import Refused
from listening_tests.models import ClipImport, ListeningTest
from listening_tests.roles import Action, may
from listening_tests.services.archives import HIGHEST_RATIO, LARGEST_ARCHIVE_BYTES, MOST_FILES
from listening_tests.services.clip_imports import clip_import_cancel, refuse_upload_of
from webapp.dashboard.access import find_test, staff_only
from webapp.dashboard.pages_of_clips import paged
from webapp.dashboard.redirects import SeeOther
from webapp.dashboard.tabs import tabs_of
from worker.clip_imports import clip_import_accept, clip_import_look_again, clip_import_upload

IMPORTS_A_PAGE = 20
FINDINGS_A_PAGE = 100


class UploadForm(forms.Form):
    """The identifier makes a repeat of the form known."""

    uuid = forms.UUIDField(widget=forms.HiddenInput)
    archive = forms.FileField()
    manifest = forms.FileField(required=False)
    allow_silent = forms.BooleanField(required=False)


class ManifestForm(forms.Form):
    manifest = forms.FileField()


@require_safe
@never_cache
@staff_only
def upload_page(request: HttpRequest, slug: str) -> HttpResponse:
    test = find_test(request, slug, Action.SET_UP)
    context = {
        "uuid": uuids.uuid4(),
        "page": paged(imports_of_test(test=test), request, IMPORTS_A_PAGE),
        "filters": "",
        "is_closed": test.status == TestStatus.CLOSED,
        "most_files": MOST_FILES,
        "largest_bytes": LARGEST_ARCHIVE_BYTES,
        "largest_gigabytes": LARGEST_ARCHIVE_BYTES // 1024**3,
        "highest_ratio": HIGHEST_RATIO,
        **_around(request, test),
    }
    return render(request, "dashboard/clips/upload.html", context)


# The protection against forged requests reads the whole body: gigabytes of it only after it is known who sends them.
@csrf_exempt
@require_POST
@staff_only
def upload(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Keeps what was sent, and goes to the page of its dry run."""
    test = find_test(request, slug, Action.SET_UP)
    try:
        refuse_upload_of(n_bytes=int(request.META.get("CONTENT_LENGTH") or 0))
    except Refused as refusal:
        messages.error(request, str(refusal))
        return _lead_to(request, reverse("dashboard:clip_upload", args=[slug]))
    return _keep_upload(request, test=test)


@csrf_protect
def _keep_upload(request: HttpRequest, *, test: ListeningTest) -> HttpResponseBase:
    form = UploadForm(request.POST, request.FILES)
    address = reverse("dashboard:clip_upload", args=[test.slug])
    if not form.is_valid():
        messages.error(request, "Choose a zip of sounds that is not empty.")
        return _lead_to(request, address)
    try:
        made, _ = clip_import_upload(test=test, requested_by=request.user, **form.cleaned_data)
    except Refused as refusal:
        messages.error(request, str(refusal))
        return _lead_to(request, address)
    return _lead_to(request, _page_of(test, made))


def _lead_to(request: HttpRequest, address: str) -> HttpResponseBase:
    """A script that sends the files goes on to the page by itself, so that its message is shown there."""
    if request.headers.get("Accept") == "application/json":
        return JsonResponse({"location": address})
    return SeeOther(address)


@require_safe
@staff_only
def import_page(request: HttpRequest, slug: str, uuid: UUID) -> HttpResponse:
    test = find_test(request, slug)
    clip_import = _import_or_404(test, uuid)
    return render(request, "dashboard/clips/import.html", _state_of(request, test, clip_import))


@require_safe
@never_cache
@staff_only
def import_live(request: HttpRequest, slug: str, uuid: UUID) -> HttpResponse:
    """The part of an upload's page that refreshes itself, and what takes its place once it stands still."""
    test = find_test(request, slug)
    clip_import = _import_or_404(test, uuid)
    response = render(request, "dashboard/clips/parts/import.html", _state_of(request, test, clip_import))
    if not clip_import.is_active:
        response.headers["HX-Reswap"] = "outerHTML"
    return response


@require_POST
@staff_only
def import_take_in(request: HttpRequest, slug: str, uuid: UUID) -> HttpResponseBase:
    test = find_test(request, slug, Action.SET_UP)
    clip_import = _import_or_404(test, uuid)
    try:
        clip_import_accept(clip_import=clip_import, requested_by=request.user)
    except Refused as refusal:
        messages.error(request, str(refusal))
    return SeeOther(_page_of(test, clip_import))


@require_POST
@staff_only
def import_correct(request: HttpRequest, slug: str, uuid: UUID) -> HttpResponseBase:
    """Another manifest over the same sounds."""
    test = find_test(request, slug, Action.SET_UP)
    clip_import = _import_or_404(test, uuid)
    form = ManifestForm(request.POST, request.FILES)
    try:
        if not form.is_valid():
            raise Refused("Choose a manifest (CSV) that is not empty.")
        clip_import_look_again(clip_import=clip_import, manifest=form.cleaned_data["manifest"])
    except Refused as refusal:
        messages.error(request, str(refusal))
    return SeeOther(_page_of(test, clip_import))


@require_POST
@staff_only
def import_cancel(request: HttpRequest, slug: str, uuid: UUID) -> HttpResponseBase:
    """Asks for the end of an upload. A repeat changes nothing more, nor does one that has ended."""
    test = find_test(request, slug, Action.SET_UP)
    clip_import = _import_or_404(test, uuid)
    clip_import_cancel(clip_import=clip_import)
    return SeeOther(_page_of(test, clip_import))


def _import_or_404(test: ListeningTest, uuid: UUID) -> ClipImport:
    try:
        return import_of_test(test=test, uuid=uuid)
    except ClipImport.DoesNotExist as error:
        raise Http404 from error


def _page_of(test: ListeningTest, clip_import: ClipImport) -> str:
    return reverse("dashboard:clip_import", args=[test.slug, clip_import.uuid])


def _around(request: HttpRequest, test: ListeningTest) -> dict[str, Any]:
    tabs = tabs_of(test=test, user=request.user, current="clip_list")
    return {"section": "tests", "test": test, "tabs": tabs}


def _state_of(request: HttpRequest, test: ListeningTest, clip_import: ClipImport) -> dict[str, Any]:
    state = {"found": clip_import, "may_change": may(request.user, Action.SET_UP, test), **_around(request, test)}
    if clip_import.is_active:
        return state
    counts = finding_counts(clip_import=clip_import)
    kinds = [counted.kind for counted in counts]
    asked = request.GET.get("kind")
    kind = next((kind for kind in kinds if kind == asked), kinds[0] if kinds else FindingKind.PROBLEM)
    rows = findings_of_import(clip_import=clip_import, kind=kind)
    return state | {
        "counts": counts,
        "kind": kind,
        "page": paged(rows, request, FINDINGS_A_PAGE),
        "filters": f"kind={kind}",
    }
