"""Freezes a test's held-out pairs in versions, so that models stay comparable as pairs and ratings come.

A hash of the caption decides which pairs are held out; a version is the list of those that have answers when it is
made. Later ones wait: they are neither trained on nor judged by. The next version takes them in.
"""

from django.db import transaction

from listening_tests.choices import AuditedAction
from listening_tests.exceptions import Refused
from listening_tests.models import ListeningTest, Question
from listening_tests.roles import Account
from listening_tests.services.audit import audit_note
from modeling import splits
from modeling.challenge import LEAST_PAIRS
from worker.models import HeldoutLook, HeldoutPair, HeldoutSet
from worker.selectors import HeldoutCandidate, heldout_candidates

# A version is made by itself once so many pairs wait, as a share of those that it has.
GROWTH = 0.5
_ROWS_AT_ONCE = 5_000


def heldout_set_of(*, test: ListeningTest, question: str) -> HeldoutSet | None:
    """The newest version; None before the first snapshot."""
    return HeldoutSet.objects.filter(test=test, question=question).first()


@transaction.atomic
def heldout_for_snapshot(*, test: ListeningTest, question: Question) -> HeldoutSet:
    """The version that a snapshot of now is judged by: the newest, or a new one where it is due.

    That is where there is none, where the newest has fewer pairs than a model needs to take the champion's place by
    itself, and where half as many pairs wait as it has.
    """
    _lock(test)
    newest = heldout_set_of(test=test, question=question.name)
    candidates = list(heldout_candidates(test=test, question=question))
    if newest is None:
        return _freeze(test, question, None, candidates, "The first snapshot.", None)
    n_waiting = len(_waiting(newest, candidates))
    if n_waiting and (newest.n_pairs < LEAST_PAIRS or n_waiting >= GROWTH * newest.n_pairs):
        reason = f"{n_waiting:,} more held-out pairs had answers, beside {newest.n_pairs:,}."
        return _freeze(test, question, newest, candidates, reason, None)
    return newest


@transaction.atomic
def heldout_freeze(*, test: ListeningTest, question: Question, user: Account, reason: str) -> HeldoutSet:
    """A new version by hand, with all pairs that wait.

    Raises `Refused` without a reason, or where none waits (a second press).
    """
    _lock(test)
    if not reason.strip():
        raise Refused("Write down why the held-out pairs are frozen anew: figures of before and after differ by it.")
    newest = heldout_set_of(test=test, question=question.name)
    candidates = list(heldout_candidates(test=test, question=question))
    if not _waiting(newest, candidates):
        raise Refused("No held-out pair with answers waits for a new version. Collect ratings for more captions.")
    made = _freeze(test, question, newest, candidates, reason.strip()[:500], user)
    detail = f"Held-out pairs of “{question.name}”, version {made.version}, {made.n_pairs:,} pairs: {made.reason}"
    audit_note(user=user, test=test, action=AuditedAction.CHANGED, detail=detail)
    return made


def heldout_look(*, heldout_set: HeldoutSet | None, kind: str) -> None:
    """Notes that figures on the held-out pairs became known; nothing for what was measured before there were
    versions.
    """
    if heldout_set is not None:
        HeldoutLook.objects.create(heldout_set=heldout_set, kind=kind)


def frozen_version(*, heldout_set: HeldoutSet) -> splits.HeldoutVersion:
    """As a snapshot takes it."""
    pairs = heldout_set.members.values_list("pair__uuid", flat=True)
    return splits.HeldoutVersion(heldout_set.version, frozenset(map(str, pairs.iterator())))


def _freeze(
    test: ListeningTest,
    question: Question,
    newest: HeldoutSet | None,
    candidates: list[HeldoutCandidate],
    reason: str,
    user: Account | None,
) -> HeldoutSet:
    """All of the version before, whether it has answers still or not, and what waits."""
    members = {one.pk: one for one in candidates} | {one.pk: one for one in _members(newest)}
    frozen = splits.HeldoutVersion(
        newest.version + 1 if newest else 1, frozenset(str(one.uuid) for one in members.values())
    )
    made = HeldoutSet.objects.create(
        test=test,
        question=question.name,
        version=frozen.version,
        salt=str(test.uuid),
        rule=splits.RULE,
        sha256=frozen.sha256,
        n_pairs=len(members),
        n_captions=len({splits.fold_caption(one.caption) for one in members.values()}),
        reason=reason,
        created_by_id=user.pk if user is not None else None,
    )
    rows = (HeldoutPair(heldout_set=made, pair_id=pk) for pk in sorted(members))
    HeldoutPair.objects.bulk_create(rows, batch_size=_ROWS_AT_ONCE)
    return made


def _members(newest: HeldoutSet | None) -> list[HeldoutCandidate]:
    if newest is None:
        return []
    columns = newest.members.values_list("pair_id", "pair__uuid", "pair__caption__text")
    return [HeldoutCandidate(*row) for row in columns.iterator(chunk_size=_ROWS_AT_ONCE)]


def _waiting(newest: HeldoutSet | None, candidates: list[HeldoutCandidate]) -> set[int]:
    known = set(newest.members.values_list("pair_id", flat=True)) if newest else set[int]()
    return {one.pk for one in candidates} - known


def _lock(test: ListeningTest) -> None:
    ListeningTest.objects.select_for_update(no_key=True).get(pk=test.pk)
