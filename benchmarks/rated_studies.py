"""Small rated studies and their runs, made in a process of an installation's own: `manage.py shell` calls these."""

import io
import json
import random
import sys
import uuid
from pathlib import Path

from django.core.management import call_command
from django.utils import timezone

from benchmarks.installation import write_manifest
from listening_tests.choices import Source
from listening_tests.models import Clip, ListeningTest, Pair, Rater, Rating
from modeling import splits
from worker.models import RunTrigger, TrainingPlan, TrainingRun
from worker.services import run_enqueue, run_request
from worker.snapshots import snapshot_create

RATERS = 3
# What a caption says is how well it fits, from 0 upwards: a run learns it, and keeps other weights than it began with.
WORDS = ("engine", "hammer", "siren", "glass", "keyboard", "footsteps", "wind", "river", "rain", "surf", "noise")


def studies_make(folder: str, slugs: list[str], pairs: int) -> None:
    """Tests of `pairs` captions over four sounds each, rated by three. Nothing but what is asked for trains on them."""
    for slug in slugs:
        manifest = write_manifest(Path(folder) / slug, slug, pairs=pairs, duration_s=0.3, words=WORDS)
        call_command("import_clips", str(manifest), test=slug, create=True, stdout=io.StringIO())
        test = ListeningTest.objects.get(slug=slug)
        TrainingPlan.objects.create(test=test, preset="small", retrain_after=0)
        _part_sounds(test)
        _rate(test)


def runs_queue(slugs: list[str], config: str, deliveries: int = 1) -> None:
    """A run of each test by the settings of the file `config`, each message delivered so often. Prints their uuids."""
    said = []
    for slug in slugs:
        test = ListeningTest.objects.get(slug=slug)
        run, _ = run_request(test=test, trigger=RunTrigger.COMMAND, preset="small", config_file=Path(config))
        for _ in range(deliveries - 1):
            run_enqueue(run=run)
        said.append(str(run.uuid))
    sys.stdout.write(json.dumps(said))


def runs_queue_on_changed_snapshots(media: str, slugs: list[str], config: str) -> None:
    """As `runs_queue`, where a byte of a file of each run's snapshot is another than was written. Prints uuid: file."""
    said = {}
    for number, slug in enumerate(slugs):
        test = ListeningTest.objects.get(slug=slug)
        run, _ = run_request(
            test=test, trigger=RunTrigger.COMMAND, preset="small", config_file=Path(config), enqueue=False
        )
        snapshot = snapshot_create(test=test)
        TrainingRun.objects.filter(pk=run.pk).update(snapshot=snapshot)
        said[str(run.uuid)] = _change_a_byte(Path(media) / snapshot.directory, number)
        run_enqueue(run=run)
    sys.stdout.write(json.dumps(said))


def _part_sounds(test: ListeningTest) -> None:
    """Gives what is held out, what validates and what trains sounds of their own: none is dropped as shared."""
    heldout, validation, *train = Clip.objects.filter(pairs__test=test).distinct().order_by("id")
    sounds = {splits.HELDOUT: [heldout], splits.VALIDATION: [validation], splits.TRAIN: train}
    pairs = list(Pair.objects.filter(test=test).select_related("caption").order_by("id"))
    for place, pair in enumerate(pairs):
        fitting = sounds[splits.caption_split(pair.caption.text, str(test.uuid))]
        pair.clip = fitting[place % len(fitting)]
    Pair.objects.bulk_update(pairs, ["clip"])


def _rate(test: ListeningTest) -> None:
    chance = random.Random(test.slug)  # noqa: S311 -- scores, not secrets
    question = test.questions.get()
    raters = Rater.objects.bulk_create([Rater(source=Source.IMPORTED) for _ in range(RATERS)])
    Rating.objects.bulk_create(
        Rating(
            client_uuid=uuid.uuid4(),
            test=test,
            pair=pair,
            rater=rater,
            question=question,
            source=Source.IMPORTED,
            score=min(10, max(0, place % len(WORDS) + chance.randint(-2, 2))),
            scale_min=0,
            scale_max=10,
            submitted_at=timezone.now(),
        )
        for place, pair in enumerate(Pair.objects.filter(test=test).order_by("id"))
        for rater in raters
    )


def _change_a_byte(snapshot: Path, number: int) -> str:
    """Turns one bit of one of the snapshot's files, and returns the file's name in it."""
    chance = random.Random(number)  # noqa: S311 -- as above
    chosen = chance.choice(sorted(path for path in snapshot.rglob("*") if path.is_file()))
    content = bytearray(chosen.read_bytes())
    content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    # Another file in its place, for it may be a link to the original.
    chosen.unlink()
    chosen.write_bytes(content)
    return chosen.name
