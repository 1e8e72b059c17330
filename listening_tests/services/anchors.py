"""Anchors: sounds under a caption of something else, which an honest rater scores low. Chosen by mismatching.

Side by side each trial gets a hidden one when the test opens (services/trials.py); here are those of the other kinds.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db import transaction

from listening_tests.choices import PairRole, TestKind
from listening_tests.exceptions import Refused
from listening_tests.models import ListeningTest, Pair
from listening_tests.services.batches import BATCH
from listening_tests.services.draft_locks import draft_lock, drawn
from listening_tests.services.trials import trials_make

MOST_ANCHORS = 2_000
# So many in a sitting tell a rater who does not listen (RELATE had 3 in 21).
ANCHORS_IN_A_SITTING = 2


@dataclass(frozen=True)
class Mismatch:
    """The clip of the pair `sound`, under the caption of the pair `words`, which is of another source."""

    sound: Pair
    words: Pair

    @property
    def place(self) -> tuple[int, int]:
        return (self.sound.clip_id, self.words.caption_id)


def n_anchors_advised(*, test: ListeningTest) -> int:
    """So many that a sitting has about ANCHORS_IN_A_SITTING of them."""
    n_study = test.pairs.filter(role=PairRole.STUDY).count()
    share = min(0.5, ANCHORS_IN_A_SITTING / test.pairs_per_session)
    return min(MOST_ANCHORS, round(n_study * share / (1 - share)))


def anchors_plan(*, test: ListeningTest, n: int) -> list[Mismatch]:
    """Which anchors would bring the test to `n` of them, in a comparison to `n` captions with one; the same ones
    whenever it is asked. Fewer where no further sound fits. Raises Refused for a number that makes no sense.
    """
    if test.kind == TestKind.SIDE_BY_SIDE:
        raise Refused("Side by side each trial gets its hidden anchor when the test opens. There is nothing to make.")
    if not 0 <= n <= MOST_ANCHORS:
        raise Refused(f"A test has 0 to {MOST_ANCHORS:,} anchors, not {n:,}.")
    n_missing = n - test.pairs.filter(role=PairRole.ANCHOR).count()
    found: list[Mismatch] = []
    for mismatch in mismatches(test=test, what="anchor"):
        if len(found) >= n_missing:
            break
        found.append(mismatch)
    return found


@transaction.atomic
def anchors_make(*, test: ListeningTest, n: int) -> int:
    """Brings a draft to `n` anchors; returns how many were made. A repeat makes none.

    Raises Refused as anchors_plan does, and where the test is no draft any more.
    """
    test = draft_lock(test=test)
    anchors = [mismatched(mismatch, PairRole.ANCHOR) for mismatch in anchors_plan(test=test, n=n)]
    Pair.objects.bulk_create(anchors, batch_size=BATCH)
    trials_make(test=test)
    return len(anchors)


def mismatched(mismatch: Mismatch, role: PairRole) -> Pair:
    """The pair that a mismatch becomes, not yet saved."""
    sound = mismatch.sound
    return Pair(
        test_id=sound.test_id,
        clip_id=sound.clip_id,
        caption_id=mismatch.words.caption_id,
        role=role,
        system=sound.system,
        source_id=sound.source_id,
    )


def mismatches(*, test: ListeningTest, what: str) -> Iterator[Mismatch]:
    """Sounds under captions that fit them by chance at most, each caption once, at random by the words `what`.

    Captions that have an anchor or practice are passed by.
    """
    heard = test.pairs.filter(role=PairRole.STUDY).exclude(clip__rendition="")
    pairs = list(heard.select_related("clip", "caption"))
    pairs.sort(key=lambda pair: drawn(test=test, what=what, key=pair.pk))
    taken = set(test.pairs.values_list("clip_id", "caption_id"))
    used = set(test.pairs.exclude(role=PairRole.STUDY).values_list("caption_id", flat=True))
    sounds_used: set[int] = set()
    for start, words in enumerate(pairs):
        if words.caption_id in used:
            continue
        sound = _sound_for(words, pairs, start, taken, sounds_used)
        if sound is not None:
            used.add(words.caption_id)
            sounds_used.add(sound.clip_id)
            yield Mismatch(sound, words)


def _sound_for(
    words: Pair, pairs: Sequence[Pair], start: int, taken: set[tuple[int, int]], sounds_used: set[int]
) -> Pair | None:
    """The next sound of another caption and another source; one that is used already only where no other is left."""
    spare: Pair | None = None
    for number in range(1, len(pairs)):
        sound = pairs[(start + number) % len(pairs)]
        is_kin = sound.caption_id == words.caption_id or bool(sound.source_id) and sound.source_id == words.source_id
        if is_kin or (sound.clip_id, words.caption_id) in taken:
            continue
        if sound.clip_id not in sounds_used:
            return sound
        spare = spare or sound
    return spare
