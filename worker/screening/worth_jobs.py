"""Measures what each screening rule is worth: a model without any, and one with each. Loads torch."""

import json
import logging
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from listening_tests.exceptions import Refused
from modeling import splits, training
from modeling.cache_place import open_cache
from modeling.challenge import compare_srcc
from modeling.config import ConfigError
from modeling.loading import quieten_transformers
from modeling.results import Progress, TrainingCancelled, TrainingRefused
from modeling.snapshot import SnapshotError
from worker.configuration import config_of_run
from worker.heartbeat import beating, lost_connection_outlived
from worker.hosts import host_name
from worker.models import RuleWorth, ScreeningWorth, WorthStatus
from worker.screening.worth import (
    worth_beat,
    worth_begin,
    worth_claim,
    worth_finish,
    worth_is_ours,
    worth_progress,
    worth_release,
    worth_store,
)
from worker.screening.worth_material import Material, material_of, place_of, screened_snapshot
from worker.stopping import stop_requested

logger = logging.getLogger(__name__)

PROGRESS_EVERY_S = 1.0
EXPLAINED = (TrainingRefused, SnapshotError, ConfigError, Refused)
NOBODY = "Nobody fails it, so that it leaves nothing out."
NOTHING = "Who fails it gave no answer to learn from."
_UNSCREENED = "unscreened"


@dataclass(frozen=True)
class Measured:
    """What a model says of each held-out pair, and what people said, by the pair's name."""

    model: dict[str, float]
    human: dict[str, float]


def worth_execute(*, worth_id: int) -> None:
    """What the queue asks for. A second delivery, or a job cancelled while it waited, finds nothing to claim."""
    worth = worth_claim(worth_id=worth_id, host=host_name())
    if worth is None:
        logger.info("Screening worth %d is not queued; there is nothing to do.", worth_id)
        return
    try:
        with beating(lambda: worth_beat(worth=worth), name=f"worth-{worth.pk}"):
            _carry_out(worth)
        _end(worth, WorthStatus.DONE)
    except TrainingCancelled:
        _give_back(worth)
    except EXPLAINED as refusal:
        _end(worth, WorthStatus.FAILED, str(refusal))
    except Exception as error:
        logger.exception("%s errored.", worth)
        _end(
            worth,
            WorthStatus.FAILED,
            f"Stopped on a fault of Earmark ({type(error).__name__}). The worker's log tells more.",
        )
    except BaseException:
        _give_back(worth)
        raise


def _carry_out(worth: ScreeningWorth) -> None:
    quieten_transformers()
    material = material_of(worth=worth)
    worth_begin(worth=worth, n_models=1 + len(material.failing), n_ratings=material.n_learned)
    before = _unscreened(worth, material)
    done = set(worth.rules.values_list("rule", flat=True))
    for rule in material.failing:
        if rule not in done and not worth_store(worth=worth, rule=_of_rule(worth, material, rule, before)):
            raise TrainingCancelled


def _unscreened(worth: ScreeningWorth, material: Material) -> Measured:
    """The model without any rule, or what an earlier attempt found of it."""
    kept = place_of(worth) / f"{_UNSCREENED}.json"
    if kept.exists():
        return Measured(**json.loads(kept.read_text(encoding="utf-8")))
    found = _trained(worth, _UNSCREENED, material.snapshot.directory)
    value = compare_srcc(*_sides(material, found, found)).champion
    if not worth_store(worth=worth, n_heldout=value.n, srcc=value.value, low=value.low, high=value.high):
        raise TrainingCancelled
    draft = kept.with_suffix(".draft")
    draft.write_text(json.dumps(vars(found)), encoding="utf-8")
    draft.replace(kept)
    return found


def _of_rule(worth: ScreeningWorth, material: Material, rule: str, before: Measured) -> RuleWorth:
    n_raters, n_ratings = len(material.failing[rule]), material.left_out(rule)
    row = RuleWorth(rule=rule, n_raters=n_raters, n_ratings=n_ratings)
    if n_ratings == 0:
        row.message = NOTHING if n_raters else NOBODY
        return row
    directory = _attempt(worth) / rule / "snapshot"
    try:
        screened_snapshot(worth=worth, material=material, rule=rule, directory=directory)
        found = compare_srcc(*_sides(material, before, _trained(worth, rule, directory)))
    except TrainingRefused as refusal:
        row.message = str(refusal)
        return row
    finally:
        shutil.rmtree(_attempt(worth) / rule, ignore_errors=True)
    row.srcc, row.low, row.high = found.challenger.value, found.challenger.low, found.challenger.high
    row.difference, row.difference_low, row.difference_high = found.gain.value, found.gain.low, found.gain.high
    return row


def _trained(worth: ScreeningWorth, name: str, snapshot: Path) -> Measured:
    """Trains in a directory of this attempt's own, so that two processes never write into one; only figures stay."""
    place = _attempt(worth) / name / "run"
    shutil.rmtree(place, ignore_errors=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        result = training.train(
            config_of_run(worth.config),
            snapshot,
            place,
            on_progress=_told(worth),
            should_stop=lambda: _should_stop(worth),
            cache=open_cache(Path(settings.EARMARK_HOME) / "cache"),
        )
    finally:
        shutil.rmtree(place, ignore_errors=True)
    heldout = [one for one in result.predictions if one.split == splits.HELDOUT]
    # Of a head, tuned_cosine is a tenth of its score: what a model is judged by, either way.
    return Measured({one.pair: one.tuned_cosine for one in heldout}, {one.pair: one.human_mean for one in heldout})


def _sides(
    material: Material, before: Measured, after: Measured
) -> tuple[list[float], list[float], list[float], list[str]]:
    """Both models, people's means and the folded captions, pair by pair. Raises ValueError where labels differ."""
    if before.human != after.human:
        raise ValueError("The labels of the held-out pairs are not the same on both sides.")
    captions = {row.pair: row.caption for row in material.snapshot.ratings} | {
        side.pair: side.caption for row in material.snapshot.comparisons for side in row.sides
    }
    pairs = sorted(before.human)
    return (
        [before.model[pair] for pair in pairs],
        [after.model[pair] for pair in pairs],
        [before.human[pair] for pair in pairs],
        [splits.fold_caption(captions[pair]) for pair in pairs],
    )


def _told(worth: ScreeningWorth) -> Callable[[Progress], None]:
    told_at = 0.0

    def tell(progress: Progress) -> None:
        nonlocal told_at
        now = time.monotonic()
        if now - told_at >= PROGRESS_EVERY_S:
            told_at = now
            with lost_connection_outlived():
                worth_progress(worth=worth, progress=progress)

    return tell


def _should_stop(worth: ScreeningWorth) -> bool:
    """A cancelled job, one that was taken back, and one whose worker is being stopped."""
    if stop_requested():
        return True
    with lost_connection_outlived():
        return not worth_is_ours(worth=worth)
    return False


def _give_back(worth: ScreeningWorth) -> None:
    """To the queue where its worker is being stopped. A cancelled one is over; another attempt's goes on."""
    shutil.rmtree(_attempt(worth), ignore_errors=True)
    if not worth_release(worth=worth):
        worth.refresh_from_db(fields=["status"])
        if not worth.is_active:
            shutil.rmtree(place_of(worth), ignore_errors=True)


def _end(worth: ScreeningWorth, status: str, message: str = "") -> None:
    if worth_finish(worth=worth, status=status, message=message):
        shutil.rmtree(place_of(worth), ignore_errors=True)
    else:
        _give_back(worth)


def _attempt(worth: ScreeningWorth) -> Path:
    return place_of(worth) / f"attempt-{worth.attempt}"
