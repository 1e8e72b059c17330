"""The registry of a test's models: what is in use, what was, how newcomers compared, and promoting by hand."""

from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from listening_tests.exceptions import Refused
from listening_tests.models import ListeningTest
from listening_tests.roles import Action, may
from webapp.dashboard.access import find_test, staff_only
from webapp.dashboard.phrases import challenge_words, number
from webapp.dashboard.redirects import SeeOther
from webapp.dashboard.tabs import tabs_of
from worker.models import ModelVersion
from worker.registry import (
    LEAST_PAIRS,
    MODELS_KEPT,
    champion_before,
    champions_of,
    model_cite,
    model_promote,
    model_roll_back,
    promotions_of,
    versions_of,
)
from worker.withdrawn import withdrawn_words

VERSIONS_SHOWN = 50
PROMOTIONS_SHOWN = 20


@dataclass(frozen=True)
class VersionLine:
    version: ModelVersion
    base: str
    tuned: str
    challenge: str
    withdrawn: str
    is_champion: bool


@dataclass(frozen=True)
class ChampionLine:
    """What is in use, and what a roll-back leads to."""

    line: VersionLine
    before: ModelVersion | None


@require_safe
@staff_only
def models_page(request: HttpRequest, slug: str) -> HttpResponse:
    test = find_test(request, slug)
    in_use = {champion.version_id for champion in champions_of(test=test)}
    versions = versions_of(test=test)
    champions = [ChampionLine(_line(row, in_use), _before(test, row)) for row in versions.filter(pk__in=in_use)]
    lines = [_line(row, in_use) for row in versions[:VERSIONS_SHOWN]]
    context = {
        "section": "tests",
        "test": test,
        "tabs": tabs_of(test=test, user=request.user, current="models_page"),
        "lines": lines,
        "promotions": promotions_of(test=test)[:PROMOTIONS_SHOWN],
        "champions": champions,
        "may_train": may(request.user, Action.TRAIN, test),
        "least_pairs": LEAST_PAIRS,
        "n_kept": MODELS_KEPT,
    }
    return render(request, "dashboard/models_page.html", context)


@require_POST
@staff_only
def promote(request: HttpRequest, slug: str, uuid: UUID) -> HttpResponseBase:
    test = find_test(request, slug, Action.TRAIN)
    version = _version_or_404(test, uuid)
    try:
        promotion = model_promote(version=version, user=request.user, reason=request.POST.get("reason", ""))
    except Refused as refusal:
        messages.error(request, str(refusal))
        return _back(test)
    messages.success(request, f"{promotion.version} is in use.")
    return _back(test)


@require_POST
@staff_only
def roll_back(request: HttpRequest, slug: str, uuid: UUID) -> HttpResponseBase:
    """Leads from the named model, where it is in use still, to the one before."""
    test = find_test(request, slug, Action.TRAIN)
    try:
        promotion = model_roll_back(version=_version_or_404(test, uuid), user=request.user)
    except Refused as refusal:
        messages.error(request, str(refusal))
        return _back(test)
    messages.success(request, f"{promotion.version} is in use again.")
    return _back(test)


@require_POST
@staff_only
def cite(request: HttpRequest, slug: str, uuid: UUID) -> HttpResponseBase:
    """Marks a model as cited, so that its files stay, or takes the mark away."""
    test = find_test(request, slug, Action.TRAIN)
    try:
        model_cite(version=_version_or_404(test, uuid), is_cited=request.POST.get("is_cited") == "yes")
    except Refused as refusal:
        messages.error(request, str(refusal))
    return _back(test)


def _line(version: ModelVersion, in_use: set[int]) -> VersionLine:
    return VersionLine(
        version=version,
        base=number(getattr(version, "base_srcc", None)),
        tuned=number(getattr(version, "tuned_srcc", None)),
        challenge=challenge_words(getattr(version, "challenge", None)),
        withdrawn=withdrawn_words(version),
        is_champion=version.pk in in_use,
    )


def _before(test: ListeningTest, version: ModelVersion) -> ModelVersion | None:
    return champion_before(test=test, question=version.run.question)


def _version_or_404(test: ListeningTest, uuid: UUID) -> ModelVersion:
    return get_object_or_404(ModelVersion.objects.select_related("run__test"), run__test=test, uuid=uuid)


def _back(test: ListeningTest) -> HttpResponseBase:
    return SeeOther(reverse("dashboard:models_page", args=[test.slug]))
