"""What the models of a screening's worth learn from: one frozen snapshot, and of it what each rule leaves.

Every model is judged by the same labels: the means of all ratings of the held-out pairs, whoever fails a rule. Labels
that a rule had cleaned would be labels that the rule agrees with, and would favour it.
"""

import dataclasses
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from listening_tests.choices import CheckOutcome, TestKind
from listening_tests.models import Question, RuleOutcome
from modeling import splits
from modeling.rows import ComparisonRow, RatingRow
from modeling.snapshot import Snapshot, read_snapshot, write_snapshot
from worker.heldout import frozen_version, heldout_for_snapshot
from worker.models import ALL_FOR_USE, ScreeningWorth
from worker.screening.rules import rules_of
from worker.selectors import question_named
from worker.snapshots import originals, pseudonym, unscreened_rows

_FAILING, _SNAPSHOT = "failing.json", "snapshot"
_JUDGED = (splits.HELDOUT, splits.WAITING)


@dataclass(frozen=True)
class Material:
    """`snapshot` holds the answers of all raters, but those left out by hand or by a withdrawal.

    `failing`: the pseudonyms of who fails each enabled rule, and of who fails any that counts for use, last.
    """

    snapshot: Snapshot
    failing: dict[str, frozenset[str]]

    def left_out(self, rule: str) -> int:
        """How many answers to learn from a rule takes away."""
        return sum(_is_dropped(row, self.failing[rule]) for row in _learned(self.snapshot))

    @property
    def n_learned(self) -> int:
        return sum(1 for _ in _learned(self.snapshot))


def place_of(worth: ScreeningWorth) -> Path:
    return Path(settings.MEDIA_ROOT) / "screening-worth" / str(worth.uuid)


def material_of(*, worth: ScreeningWorth) -> Material:
    """As it was frozen when the job first began: who fails is told before the answers, and neither changes after."""
    place = place_of(worth)
    if not (place / _SNAPSHOT).exists():
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        question = question_named(test=worth.test, name=worth.question)
        (place / _FAILING).write_text(json.dumps(_failing(worth)), encoding="utf-8")
        _freeze(worth, question, place / _SNAPSHOT)
    failing = json.loads((place / _FAILING).read_text(encoding="utf-8"))
    return Material(read_snapshot(place / _SNAPSHOT), {rule: frozenset(raters) for rule, raters in failing.items()})


def screened_snapshot(*, worth: ScreeningWorth, material: Material, rule: str, directory: Path) -> None:
    """The frozen snapshot without the training answers of who fails the rule: the same splits, the same labels."""
    snapshot, failing = material.snapshot, material.failing[rule]
    write_snapshot(
        directory,
        test=snapshot.test,
        ratings=(_again(row) for row in snapshot.ratings if not _is_dropped(row, failing)),
        # A comparison's split is that of two pairs: it is found anew from theirs.
        comparisons=(
            dataclasses.replace(row, split=None) for row in snapshot.comparisons if not _is_dropped(row, failing)
        ),
        audio=snapshot.audio,
        scale_min=snapshot.scale_min,
        scale_max=snapshot.scale_max,
        salt=snapshot.salt,
        created=snapshot.created,
        is_simulated=snapshot.is_simulated,
        heldout=frozen_version(heldout_set=worth.heldout_set) if worth.heldout_set else None,
    )


def _freeze(worth: ScreeningWorth, question: Question, directory: Path) -> None:
    test = worth.test
    worth.heldout_set = heldout_for_snapshot(test=test, question=question)
    worth.save(update_fields=["heldout_set"])
    ratings, comparisons = unscreened_rows(test=test, question=question)
    is_compared = test.kind == TestKind.COMPARISON
    write_snapshot(
        directory,
        test=test.slug,
        ratings=ratings,
        comparisons=comparisons,
        audio=originals(test),
        scale_min=None if is_compared else question.scale_min,
        scale_max=None if is_compared else question.scale_max,
        salt=str(test.uuid),
        created=timezone.now(),
        is_simulated=test.is_simulated,
        heldout=frozen_version(heldout_set=worth.heldout_set),
    )


def _failing(worth: ScreeningWorth) -> dict[str, list[str]]:
    test = worth.test
    failing: dict[str, list[str]] = {rule.rule: [] for rule in rules_of(test=test) if rule.is_enabled}
    for_use: set[str] = set()
    rows = RuleOutcome.objects.filter(test=test, rule__in=failing, outcome=CheckOutcome.FAILED).order_by("id")
    for rule, counts_for_use, rater in rows.values_list("rule", "for_use", "rater__uuid"):
        name = pseudonym(test=test, rater_uuid=rater)
        failing[rule].append(name)
        if counts_for_use:
            for_use.add(name)
    return failing | {ALL_FOR_USE: sorted(for_use)}


def _learned(snapshot: Snapshot) -> Iterator[RatingRow | ComparisonRow]:
    """What a model may learn from: neither what it is judged by, nor what never counts."""
    rows: tuple[RatingRow | ComparisonRow, ...] = (*snapshot.ratings, *snapshot.comparisons)
    for row in rows:
        if row.split in (splits.TRAIN, splits.VALIDATION):
            yield row


def _is_dropped(row: RatingRow | ComparisonRow, failing: frozenset[str]) -> bool:
    return row.rater in failing and row.split not in _JUDGED


def _again(row: RatingRow) -> RatingRow:
    """With its split as its own, so that no pair changes its part because another one lost its answers."""
    return dataclasses.replace(row, split=splits.HELDOUT if row.split == splits.WAITING else row.split)
