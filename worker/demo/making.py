"""Makes the demo whole or not at all."""

import tempfile
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from django.db import transaction

from listening_tests.default_texts import DEMO_INSTRUCTIONS
from listening_tests.exceptions import Refused
from listening_tests.models import CheckQuestion, ListeningTest, Rating
from listening_tests.services.manifests import manifest_import
from listening_tests.services.planner import planner_inform
from listening_tests.services.test_status import test_open
from worker.demo.raters import RATINGS_PER_PAIR, ratings_simulate
from worker.demo.stimuli import stimuli_write
from worker.models import TrainingPlan

SLUG = "demo"
# Fixed, since it salts the split: then the same captions of the demo are held out everywhere.
UUID = uuid.uuid5(uuid.NAMESPACE_DNS, "demo.earmark")
N_CAPTIONS = 300
PRESET = "small"
# Beside the simulated ones each pair takes some by the people who try the demo.
ROOM_FOR_PEOPLE = 4
TITLE = "Demo (simulated): do these captions match?"


@dataclass(frozen=True)
class DemoSummary:
    test: ListeningTest
    created: bool
    n_pairs: int
    n_ratings: int


def demo_make(*, n_captions: int, on_progress: Callable[[str, int, int], None]) -> DemoSummary:
    """The test "demo", open and rated; one that is there already is left as it is.

    Raises `Refused` where a test of somebody's own has that address.
    """
    test = ListeningTest.objects.filter(slug=SLUG).first()
    if test is not None and not test.is_simulated:
        raise Refused(f"A test of your own has the address “{SLUG}”. Give it another one to make the demo.")
    created = test is None
    if test is None:
        with tempfile.TemporaryDirectory(prefix="earmark-demo-") as folder, transaction.atomic():
            manifest, truth = stimuli_write(folder=Path(folder), n_captions=n_captions, on_progress=on_progress)
            test = manifest_import(manifest=manifest, slug=SLUG, create=True, on_progress=on_progress).test
            _describe(test)
            on_progress("Simulating raters", 0, 1)
            planner_inform(n_new=ratings_simulate(test=test, truth=truth))
            on_progress("Simulating raters", 1, 1)
            # By force: nobody reads letters about a demo, so it has no contact address.
            test = test_open(test=test, force=True)
    n_ratings = Rating.objects.filter(test=test).count()
    return DemoSummary(test=test, created=created, n_pairs=test.pairs.count(), n_ratings=n_ratings)


def _describe(test: ListeningTest) -> None:
    test.uuid = UUID
    test.title = TITLE
    test.instructions = DEMO_INSTRUCTIONS
    test.is_simulated = True
    test.ratings_per_pair = RATINGS_PER_PAIR + ROOM_FOR_PEOPLE
    test.save()
    CheckQuestion.objects.create(test=test)
    TrainingPlan.objects.create(test=test, preset=PRESET)
