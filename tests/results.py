"""Studies with results: crossed raters, captions and systems, written as an import would."""

import uuid

import numpy as np
from django.utils import timezone

from listening_tests.choices import Source
from listening_tests.models import Caption, ListeningTest, Pair, Rater, Rating
from tests.factories import make_caption, make_clip, make_test

# Best first; a name may hold what a formula, a page or a spreadsheet would run.
SYSTEMS = ("=best$x^2$", "<i>good</i>", "plain")


def make_rated_study(
    *, n_captions: int = 6, n_raters: int = 6, systems: tuple[str, ...] = SYSTEMS, **fields: object
) -> ListeningTest:
    """An open test in which every rater scored every pair, the systems two points apart."""
    test = make_test(**fields)
    clips = [make_clip() for _ in systems]
    captions = [make_caption() for _ in range(n_captions)]
    pairs = Pair.objects.bulk_create(
        Pair(test=test, clip=clip, caption=caption, system=system)
        for caption in captions
        for clip, system in zip(clips, systems, strict=True)
    )
    rate_study(test, pairs, n_raters)
    return test


def rate_study(test: ListeningTest, pairs: list[Pair], n_raters: int) -> list[Rating]:
    """Scores of all `pairs` by new raters."""
    question = test.questions.order_by("id")[0]
    raters = Rater.objects.bulk_create([Rater(source=Source.IMPORTED) for _ in range(n_raters)])
    place = {name: number for number, name in enumerate(dict.fromkeys(pair.system for pair in pairs))}
    rng = np.random.default_rng(len(pairs))
    return Rating.objects.bulk_create(
        Rating(
            client_uuid=uuid.uuid4(),
            test=test,
            pair=pair,
            rater=rater,
            question=question,
            source=Source.IMPORTED,
            score=int(np.clip(8 - 2 * place[pair.system] + rng.integers(-2, 3), 0, 10)),
            scale_min=question.scale_min,
            scale_max=question.scale_max,
            submitted_at=timezone.now(),
        )
        for pair in pairs
        for rater in raters
    )


def caption_of(test: ListeningTest) -> Caption:
    return Caption.objects.filter(pairs__test=test).earliest("pk")
