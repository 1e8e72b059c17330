"""Small studies to train on: few and short sounds, many captions, real ratings rows."""

import io
import uuid
from collections.abc import Iterator
from datetime import datetime
from itertools import count, islice
from pathlib import Path

import numpy as np
import soundfile
from django.utils import timezone

from listening_tests.choices import PairRole, Source
from listening_tests.models import Caption, Clip, ListeningTest, Pair, Rater, Rating
from modeling.metrics import MetricValue
from modeling.results import PairPrediction, TrainingResult
from modeling.splits import HELDOUT, TRAIN, caption_split
from tests.factories import make_clip, make_test
from worker.models import RunTrigger, TrainingRun
from worker.services import run_request

SAMPLE_RATE = 48_000
_seeds = count()


def make_sound(seconds: float = 0.5) -> Clip:
    """A clip of real sound, like no other, and so short that a model reads it in no time."""
    rng = np.random.default_rng(next(_seeds))
    stream = io.BytesIO()
    soundfile.write(stream, rng.uniform(-0.5, 0.5, int(seconds * SAMPLE_RATE)), SAMPLE_RATE, format="WAV")
    return make_clip(content=stream.getvalue(), duration_s=seconds)


def captions_of(split: str, *, salt: str) -> Iterator[Caption]:
    """Captions that the split's rule puts where the test wants them."""
    texts = (f"A sound that is number {number}" for number in count())
    for text in texts:
        if caption_split(text, salt) == split:
            yield Caption.objects.get_or_create(text=text, text_sha256=Caption.digest(text))[0]


def make_study(*, n_heldout: int = 30, n_train: int = 24, ratings_per_pair: int = 3, **fields: object) -> ListeningTest:
    """An open test with rated study pairs, held out and to train on, which share no sound."""
    test = make_test(**fields)
    salt = str(test.uuid)
    for split, number in ((HELDOUT, n_heldout), (TRAIN, n_train)):
        sounds = [make_sound() for _ in range(4)]
        captions = islice(captions_of(split, salt=salt), number)
        pairs = [
            Pair(test=test, clip=sounds[place % 4], caption=caption, system=f"system {place % 4}")
            for place, caption in enumerate(captions)
        ]
        rate(Pair.objects.bulk_create(pairs), ratings_per_pair)
    return test


def more_held_out(test: ListeningTest, n_pairs: int) -> list[Pair]:
    """Rated pairs of captions that are new and held out."""
    known = test.pairs.count()
    captions = islice(captions_of(HELDOUT, salt=str(test.uuid)), known, known + n_pairs)
    pairs = Pair.objects.bulk_create([Pair(test=test, clip=make_sound(), caption=caption) for caption in captions])
    rate(pairs, 2)
    return pairs


def rate(pairs: list[Pair], ratings_per_pair: int, *, submitted_at: datetime | None = None) -> list[Rating]:
    """Ratings of the pairs as an import stores them, by as many raters as each pair has ratings."""
    raters = Rater.objects.bulk_create([Rater(source=Source.IMPORTED) for _ in range(ratings_per_pair)])
    question = pairs[0].test.questions.get() if pairs else None
    rng = np.random.default_rng(len(pairs))
    ratings = [
        Rating(
            client_uuid=uuid.uuid4(),
            test=pair.test,
            pair=pair,
            rater=rater,
            question=question,
            source=Source.IMPORTED,
            score=int(np.clip(place % 11 + rng.integers(-2, 3), 0, 10)),
            scale_min=0,
            scale_max=10,
            submitted_at=submitted_at or timezone.now(),
        )
        for place, pair in enumerate(pairs)
        for rater in raters
    ]
    return Rating.objects.bulk_create(ratings)


def queued_run(test: ListeningTest, **options: object) -> TrainingRun:
    run, created = run_request(test=test, trigger=RunTrigger.PERSON, preset="small", **options)
    assert created
    return run


def result_of(test: ListeningTest, out_dir: Path) -> TrainingResult:
    """What a training that found something tells, with a model directory on disk."""
    model_dir = out_dir / "model"
    model_dir.mkdir(parents=True)
    (model_dir / "model.safetensors").write_bytes(b"weights")
    values = {name: MetricValue(0.5, 0.4, 0.6, 30) for name in ("srcc", "lcc", "ktau", "mse")}
    pairs = test.pairs.filter(role=PairRole.STUDY)[:2]
    predictions = [
        PairPrediction(str(pair.uuid), split, 5.0, 3, 0.1, 0.4, 4.5)
        for pair, split in zip(pairs, ("heldout", "train"), strict=True)
    ]
    return TrainingResult(
        n_heldout=30,
        n_train=20,
        n_validation=4,
        n_dropped=1,
        base=values,
        tuned=values,
        difference=values,
        one_vs_rest_srcc=MetricValue(0.5, None, None, 30),
        ceiling_srcc=MetricValue(None, None, None, 30),
        predictions=tuple(predictions),
        model_dir=model_dir,
        model_name="a model",
        note="A note.",
        epochs_run=1,
        seconds=1.0,
    )
