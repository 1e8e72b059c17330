"""Whether every system performs every caption: only then are means of systems over the same captions."""

from collections import Counter
from dataclasses import dataclass

from django.db import transaction

from listening_tests.choices import PairRole
from listening_tests.exceptions import Refused
from listening_tests.models import ListeningTest, Pair, Trial
from listening_tests.services.batches import batches
from listening_tests.services.draft_locks import draft_lock

CAPTIONS_NAMED = 20


@dataclass(frozen=True)
class SystemShare:
    """How many study pairs a system has, and of how many captions."""

    system: str
    n_pairs: int
    n_captions: int


@dataclass(frozen=True)
class Balance:
    """`n_whole` of `n_captions` have a sound of each system. `lacking` names the others, the first of them, with the
    systems that are missing; `n_lacking_pairs` is how many study pairs those captions have. `n_more` counts sounds that
    a system has beside its first for a caption.
    """

    systems: list[SystemShare]
    n_captions: int
    n_whole: int
    n_lacking_pairs: int
    n_more: int
    lacking: list[tuple[str, list[str]]]

    @property
    def is_balanced(self) -> bool:
        return self.n_whole == self.n_captions and not self.n_more

    @property
    def n_lacking(self) -> int:
        return self.n_captions - self.n_whole


def balance_of(*, test: ListeningTest) -> Balance:
    counts = _counts(test)
    systems = sorted({system for of_caption in counts.values() for system in of_caption})
    lacking = {key: missing for key, of_caption in counts.items() if (missing := _missing(of_caption, systems))}
    named = list(lacking)[:CAPTIONS_NAMED]
    texts = dict(Pair.objects.filter(test=test, caption_id__in=named).values_list("caption_id", "caption__text"))
    return Balance(
        systems=[
            SystemShare(
                system,
                sum(of_caption[system] for of_caption in counts.values()),
                sum(system in of_caption for of_caption in counts.values()),
            )
            for system in systems
        ],
        n_captions=len(counts),
        n_whole=len(counts) - len(lacking),
        n_lacking_pairs=sum(counts[key].total() for key in lacking),
        n_more=sum(n - 1 for of_caption in counts.values() for n in of_caption.values()),
        lacking=[(texts[key], lacking[key]) for key in named],
    )


@transaction.atomic
def balance_make(*, test: ListeningTest) -> int:
    """Takes the captions that lack a system out of a draft; returns how many sounds went. A repeat takes none.

    Raises Refused where the test is no draft any more, or nothing would be left.
    """
    test = draft_lock(test=test)
    counts = _counts(test)
    systems = sorted({system for of_caption in counts.values() for system in of_caption})
    lacking = [key for key, of_caption in counts.items() if _missing(of_caption, systems)]
    if lacking and len(lacking) == len(counts):
        raise Refused(
            f"No caption of the test {test.slug} has a sound of each of its {len(systems)} systems, so nothing would "
            "be left. Import the sounds that are missing."
        )
    n_gone = 0
    for keys in batches(lacking):
        Trial.objects.filter(test=test, caption_id__in=keys).exclude(role=PairRole.PRACTICE).delete()
        gone = Pair.objects.filter(test=test, caption_id__in=keys).exclude(role=PairRole.PRACTICE)
        n_gone += gone.count()
        gone.delete()
    return n_gone


def _counts(test: ListeningTest) -> dict[int, Counter[str]]:
    """By caption how many study pairs each system has."""
    counts: dict[int, Counter[str]] = {}
    for caption_id, system in (
        test.pairs.filter(role=PairRole.STUDY).order_by("caption_id").values_list("caption_id", "system")
    ):
        counts.setdefault(caption_id, Counter())[system] += 1
    return counts


def _missing(of_caption: Counter[str], systems: list[str]) -> list[str]:
    return [system for system in systems if system not in of_caption]
