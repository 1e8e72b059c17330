"""Trials: which pairs of a caption are judged together, made from a test's pairs as these come in.

Side by side a caption has one trial of all its pairs, and, where the manifest names no anchor for it, a hidden one made
by mismatching: a clip of another caption. In a paired comparison every two pairs of a caption make a trial.
"""

import itertools
from collections.abc import Iterable, Sequence

from django.db import transaction
from django.db.models import QuerySet

from listening_tests.choices import PairRole, TestKind
from listening_tests.exceptions import Refused
from listening_tests.kinds import kind_of
from listening_tests.kinds.kind import Group
from listening_tests.models import ListeningTest, Pair, Trial, TrialPair

_BATCH = 1_000


@transaction.atomic
def trials_make(*, test: ListeningTest) -> int:
    """Makes the trials that the test's pairs allow and that are not there yet; returns how many. Repeatable.

    Raises Refused where pairs have come for a caption whose trial raters had side by side: they would not be judged
    with the others.
    """
    # One at a time: who comes second finds what the first made.
    test = ListeningTest.objects.select_for_update(no_key=True).get(pk=test.pk)
    if not kind_of(test).leased.has_places:
        return 0
    known = trials_by_pairs(test=test)
    groups = [group for group in _groups(test) if _keys(group) not in known]
    _add((trial, pair) for trial, group in _trials_of(test, groups, known) for pair in group.pairs)
    return len(groups)


@transaction.atomic
def anchors_complete(*, test: ListeningTest) -> int:
    """Hides a mismatched clip in each trial side by side that has no anchor; returns how many. Repeatable.

    The clip is one of another caption and another source, the same one whenever it is asked. A trial that a rater had
    stays as it is.
    """
    if test.kind != TestKind.SIDE_BY_SIDE:
        return 0
    free = _held_without_raters(_without_anchor(test).filter(assignments__isnull=True))
    hidden = [(trial, _anchor(trial, donor)) for trial, donor in _chosen(test, free) if donor is not None]
    Pair.objects.bulk_create([anchor for _, anchor in hidden], batch_size=_BATCH)
    _add(hidden)
    return len(hidden)


def n_without_anchor(*, test: ListeningTest) -> int:
    """How many trials side by side have no anchor, and no clip of another caption that could be hidden as one."""
    if test.kind != TestKind.SIDE_BY_SIDE:
        return 0
    return sum(donor is None for _, donor in _chosen(test, _without_anchor(test)))


def _without_anchor(test: ListeningTest) -> QuerySet[Trial]:
    trials = Trial.objects.filter(test=test, role=PairRole.STUDY).exclude(pairs__role=PairRole.ANCHOR)
    return trials.select_related("caption").order_by("pk")


def _chosen(test: ListeningTest, trials: Iterable[Trial]) -> list[tuple[Trial, Pair | None]]:
    """For each trial the pair whose clip may be hidden in it; None where no clip fits."""
    lacking = list(trials)
    if not lacking:
        return []
    own: dict[int, list[Pair]] = {}
    for pair in test.pairs.order_by("pk"):
        own.setdefault(pair.caption_id, []).append(pair)
    donors = list(test.pairs.filter(role=PairRole.STUDY).exclude(clip__rendition="").order_by("pk"))
    return [(trial, _donor(trial, own[trial.caption_id], donors)) for trial in lacking]


def _groups(test: ListeningTest) -> Iterable[Group]:
    """Which pairs are to be judged together, caption by caption."""
    pairs = test.pairs.order_by("caption_id", "pk")
    for _, of_caption in itertools.groupby(pairs, key=lambda pair: pair.caption_id):
        yield from kind_of(test).groups(list(of_caption))


def _keys(group: Group) -> frozenset[int]:
    return frozenset(pair.pk for pair in group.pairs)


def trials_by_pairs(*, test: ListeningTest) -> dict[frozenset[int], Trial]:
    """The trials of a test by the keys of their pairs."""
    members: dict[int, set[int]] = {}
    rows = TrialPair.objects.filter(trial__test=test).values_list("trial_id", "pair_id")
    for trial_id, pair_id in rows.iterator(chunk_size=_BATCH):
        members.setdefault(trial_id, set()).add(pair_id)
    return {frozenset(members[trial.pk]): trial for trial in Trial.objects.filter(test=test) if trial.pk in members}


def _trials_of(
    test: ListeningTest, groups: Sequence[Group], known: dict[frozenset[int], Trial]
) -> list[tuple[Trial, Group]]:
    """Each group with its trial: side by side the caption's, to which pairs have come; else a new one."""
    is_one_a_caption = test.kind == TestKind.SIDE_BY_SIDE
    there = {(trial.caption_id, trial.role): trial for trial in known.values()} if is_one_a_caption else {}
    grown = [(there.get((group.pairs[0].caption_id, group.role)), group) for group in groups]
    _refuse_had([trial for trial, _ in grown if trial is not None])
    trials = [
        (trial or Trial(test=test, caption_id=group.pairs[0].caption_id, role=group.role), group)
        for trial, group in grown
    ]
    Trial.objects.bulk_create([trial for trial, _ in trials if trial.pk is None], batch_size=_BATCH)
    return trials


def _refuse_had(trials: Sequence[Trial]) -> None:
    free = {trial.pk for trial in _held_without_raters(trials)}
    for trial in trials:
        if trial.pk not in free:
            raise Refused(
                f"Raters have had the sounds of the caption “{trial.caption.text}” side by side already, so no "
                "more can be put beside them. Use another test for the new ones."
            )


def _held_without_raters(trials: Iterable[Trial]) -> list[Trial]:
    """Those that no rater has had, in the order of their keys; nobody draws them before this transaction ends."""
    ordered = sorted(trials, key=lambda trial: trial.pk)
    free: set[int] = set()
    for start in range(0, len(ordered), _BATCH):
        some = Trial.objects.filter(pk__in=[trial.pk for trial in ordered[start : start + _BATCH]])
        # First held and then looked at: who was drawing one is done by then.
        list(some.order_by("pk").select_for_update(no_key=True).values_list("pk"))
        free.update(some.filter(assignments__isnull=True).values_list("pk", flat=True))
    return [trial for trial in ordered if trial.pk in free]


def _add(members: Iterable[tuple[Trial, Pair]]) -> None:
    rows = [TrialPair(trial=trial, pair=pair) for trial, pair in members]
    TrialPair.objects.bulk_create(rows, batch_size=_BATCH, ignore_conflicts=True)


def _donor(trial: Trial, own: Sequence[Pair], donors: Sequence[Pair]) -> Pair | None:
    """A pair whose clip fits the trial's caption by chance at most; any, but the same one again for the same trial."""
    clips, sources = {pair.clip_id for pair in own}, {pair.source_id for pair in own} - {""}
    start = int(trial.caption.text_sha256[:8], 16)
    # From there on and around: all of them are looked at only where none fits.
    for number in range(len(donors)):
        donor = donors[(start + number) % len(donors)]
        is_known = donor.clip_id in clips or donor.source_id in sources
        if donor.caption_id != trial.caption_id and not is_known:
            return donor
    return None


def _anchor(trial: Trial, donor: Pair) -> Pair:
    return Pair(
        test_id=trial.test_id,
        clip_id=donor.clip_id,
        caption_id=trial.caption_id,
        role=PairRole.ANCHOR,
        system=donor.system,
        source_id=donor.source_id,
    )
