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
from worker.heldout import heldout_freeze
from worker.heldout_notes import heldout_notes_of_test
from worker.model_lists import champions_of, promotions_of, versions_of
from worker.models import ModelVersion, Promotion
from worker.registry import (
    LEAST_PAIRS,
    MODELS_KEPT,
    Earlier,
    champion_before,
    model_cite,
    model_promote,
    model_roll_back,
    untuned_promote,
    untuned_roll_back,
)
from worker.selectors import question_named
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
    """What is in use, and what a roll-back leads to; no line where it is the untuned model."""

    promotion: Promotion
    line: VersionLine | None
    before: Earlier | None


@require_safe
@staff_only
def models_page(request: HttpRequest, slug: str) -> HttpResponse:
    test = find_test(request, slug)
    promotions = list(champions_of(test=test))
    in_use = {promotion.version_id for promotion in promotions if promotion.version_id is not None}
    versions = versions_of(test=test)
    lines = [_line(row, in_use) for row in versions[:VERSIONS_SHOWN]]
    context = {
        "section": "tests",
        "test": test,
        "tabs": tabs_of(test=test, user=request.user, current="models_page"),
        "lines": lines,
        "heldout": heldout_notes_of_test(test=test),
        "promotions": promotions_of(test=test)[:PROMOTIONS_SHOWN],
        "champions": _champion_lines(test, promotions, {row.pk: row for row in versions.filter(pk__in=in_use)}),
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
    messages.success(request, f"{promotion.version or 'The untuned model'} is in use again.")
    return _back(test)


@require_POST
@staff_only
def promote_untuned(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Puts the untuned model in use for the named question."""
    test, question = find_test(request, slug, Action.TRAIN), request.POST.get("question", "")
    try:
        untuned_promote(test=test, question=question, user=request.user, reason=request.POST.get("reason", ""))
    except Refused as refusal:
        messages.error(request, str(refusal))
        return _back(test)
    messages.success(request, "The untuned model is in use.")
    return _back(test)


@require_POST
@staff_only
def roll_back_untuned(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Leads from the untuned model, where somebody put it in use, to the one before."""
    test, question = find_test(request, slug, Action.TRAIN), request.POST.get("question", "")
    try:
        promotion = untuned_roll_back(test=test, question=question, user=request.user)
    except Refused as refusal:
        messages.error(request, str(refusal))
        return _back(test)
    messages.success(request, f"{promotion.version or 'The untuned model'} is in use again.")
    return _back(test)


@require_POST
@staff_only
def freeze(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Makes a new version of a question's held-out pairs with those that wait."""
    test = find_test(request, slug, Action.TRAIN)
    try:
        question = question_named(test=test, name=request.POST.get("question", ""))
        reason = request.POST.get("reason", "")
        made = heldout_freeze(test=test, question=question, user=request.user, reason=reason)
    except Refused as refusal:
        messages.error(request, str(refusal))
        return _back(test)
    messages.success(
        request, f"Version {made.version} of the held-out pairs has {made.n_pairs:,}. The next run uses it."
    )
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


def _champion_lines(
    test: ListeningTest, promotions: list[Promotion], versions: dict[int, ModelVersion]
) -> list[ChampionLine]:
    in_use = set(versions)
    return [
        ChampionLine(
            promotion,
            _line(versions[promotion.version_id], in_use) if promotion.version_id is not None else None,
            champion_before(test=test, question=promotion.question),
        )
        for promotion in promotions
    ]


def _version_or_404(test: ListeningTest, uuid: UUID) -> ModelVersion:
    return get_object_or_404(ModelVersion.objects.select_related("run__test"), run__test=test, uuid=uuid)


def _back(test: ListeningTest) -> HttpResponseBase:
    return SeeOther(reverse("dashboard:models_page", args=[test.slug]))
