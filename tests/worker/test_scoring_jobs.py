"""Lists of pairs and all pairs of a test, through a model: asked for, refused, scored, stored, stopped, taken back."""

import csv
import io
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.conf import settings as site
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.utils import timezone
from pytest_django import Settings

from listening_tests.choices import PairRole
from listening_tests.exceptions import Refused
from listening_tests.models import Clip, ListeningTest, Pair
from modeling.pair_table import score_table
from modeling.provenance import Provenance, caption_sha256, write_provenance
from modeling.scoring import Scorer
from tests.factories import make_caption, make_pair, make_test
from tests.scorers import make_champion
from tests.webapp.factories import make_staff
from tests.worker.studies import make_sound
from worker.hosts import host_name
from worker.models import ModelScore, ModelVersion, ScoringJob, ScoringKind, ScoringStatus
from worker.registry import model_promote, model_roll_back
from worker.scoring import work
from worker.scoring.models_in_use import ModelInUse, model_in_use
from worker.scoring.pair_lists import ListRefused
from worker.scoring.queueing import pairs_scoring_make
from worker.scoring.recovery import scorings_clear_up, scorings_set_right, scorings_take_back
from worker.scoring.services import (
    MOST_ACTIVE,
    list_path,
    list_scoring_request,
    pairs_scoring_request,
    scores_path,
    scoring_cancel,
)
from worker.scoring.work import scoring_execute

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.scoring.queueing.publish_or_tell", lambda *_: True)


@pytest.fixture
def test(settings: Settings) -> ListeningTest:
    """Three clips, each with two captions."""
    settings.EARMARK_PRESET = "small"
    found = make_test(slug="rain")
    captions = [make_caption(text) for text in ("Rain on a roof", "A dog barks")]
    for name in ("a.wav", "b.wav", "c.wav"):
        clip = make_sound()
        Clip.objects.filter(pk=clip.pk).update(name=name)
        for caption in captions:
            make_pair(found, clip=clip, caption=caption)
    return found


@pytest.fixture
def user() -> User:
    return make_staff()


def csv_of(*rows: tuple[str, ...]) -> bytes:
    stream = io.StringIO()
    csv.writer(stream).writerows(rows)
    return stream.getvalue().encode()


def send(test: ListeningTest, user: User, content: bytes, **fields: object) -> ScoringJob:
    question = test.questions.get()
    told = {"model": model_in_use(test=test, question=question), "uuid": uuid4(), "requested_by": user} | fields
    pairs = ContentFile(content, name="pairs.csv")
    return list_scoring_request(test=test, question=question.name, pairs=pairs, **told)[0]  # type: ignore[arg-type]


def execute(job: ScoringJob) -> ScoringJob:
    scoring_execute(job_id=job.pk)
    job.refresh_from_db()
    return job


def table_of(job: ScoringJob) -> list[dict[str, str]]:
    with scores_path(job).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def clip_named(name: str) -> Clip:
    return Clip.objects.get(name=name)


def test_it_works(test: ListeningTest, user: User, tmp_path: Path) -> None:
    """Rows in the list's order, one of them twice, clips called as people please; scored as by `modeling score`."""
    a, b, c = (clip_named(f"{letter}.wav") for letter in "abc")
    cells = [("c.wav", "=Wind"), (str(a.uuid), "Rain"), (b.sha256 or "", "Rain"), (str(a.uuid), "Rain")]
    job = execute(send(test, user, csv_of(("caption", "file"), *[(caption, file) for file, caption in cells])))

    assert (job.status, job.message, job.done, job.total) == (ScoringStatus.DONE, "", 4, 4)
    assert job.model_name == "builtin, untuned"
    found = table_of(job)
    assert list(found[0]) == ["file", "caption", "cosine", "score", "score_sd"]
    assert [(row["file"], row["caption"]) for row in found] == [("c.wav", "'=Wind"), *cells[1:]]

    named = [(Path(clip.original.path).name, caption) for clip, (_, caption) in zip((c, a, b, a), cells, strict=True)]
    for clip in (a, b, c):
        (tmp_path / Path(clip.original.path).name).symlink_to(clip.original.path)
    (tmp_path / "pairs.csv").write_bytes(csv_of(("file", "caption"), *named))
    score_table(Scorer.open("builtin"), tmp_path / "pairs.csv", tmp_path / "scores.csv")
    with (tmp_path / "scores.csv").open(newline="") as file:
        wanted = list(csv.DictReader(file))
    assert [(row["cosine"], row["score"], row["score_sd"]) for row in found] == [
        (row["cosine"], row["score"], row["score_sd"]) for row in wanted
    ]


def test_in_parts_as_in_one(test: ListeningTest, user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [(f"{'abc'[place % 3]}.wav", f"Sound {place % 4}") for place in range(10)]
    content = csv_of(("file", "caption"), *rows)
    whole = table_of(execute(send(test, user, content)))
    monkeypatch.setattr(work, "ROWS_AT_ONCE", 3)
    monkeypatch.setattr(work, "MOST_EMBEDDINGS", 1)
    assert table_of(execute(send(test, user, content))) == whole
    assert [(row["file"], row["caption"]) for row in whole] == rows


BAD_LISTS = [
    (b"", "The list has no column file, or two. Its first line must name file and caption."),
    (b"file,text\na.wav,b\n", "The list has no column caption, or two. Its first line must name file and caption."),
    (b"file,file,caption\na,b,c\n", "The list has no column file, or two."),
    (b"file,caption\n", "The list has no rows. Below its first line it needs a file and a caption in each."),
    (b"file,caption\n\xff\xfe,b\n", "The list cannot be read as CSV in UTF-8, near line"),
    (b'file,caption\n"a,b\n', "The list cannot be read as CSV in UTF-8, near line 3: unexpected end of data."),
]


@pytest.mark.parametrize(("content", "told"), BAD_LISTS)
def test_what_is_no_list_is_refused(test: ListeningTest, user: User, content: bytes, told: str) -> None:
    with pytest.raises(Refused) as refusal:
        send(test, user, content)
    assert str(refusal.value).startswith(told)
    assert not ScoringJob.objects.exists()


def test_every_row_at_fault_is_named_and_none_is_scored(test: ListeningTest, user: User) -> None:
    lost = Clip.objects.create(name="lost.wav")
    make_pair(test, clip=lost)
    twin = make_pair(test, clip=make_sound()).clip
    Clip.objects.filter(pk=twin.pk).update(name="a.wav")
    rows = [("b.wav", "Rain"), ("x.wav", "Rain"), ("", "Rain"), ("b.wav", " "), ("a.wav", "Rain"), ("lost.wav", "Rain")]

    with pytest.raises(ListRefused) as refusal:
        send(test, user, csv_of(("file", "caption"), *rows, ("b.wav", "r" * 2_001)))

    assert refusal.value.headline == "6 rows cannot be scored, so none is. Mend the list and send it again."
    assert refusal.value.problems == [
        "line 3, file: no clip of the test has the uuid, the sha256 or the name 'x.wav'",
        "line 4, file: it is empty",
        "line 5, caption: it is empty",
        "line 6, file: two clips of the test are called 'a.wav'; name it by its uuid or its sha256",
        "line 7, file: the sound of 'lost.wav' is not here",
        "line 8, caption: it has 2,001 letters, and may have 2,000",
    ]
    assert not ScoringJob.objects.exists()


def test_a_row_of_another_length_is_refused(test: ListeningTest, user: User) -> None:
    with pytest.raises(ListRefused) as refusal:
        send(test, user, b"file,caption\na.wav,Rain,more\n")
    assert refusal.value.problems == ["line 2: it has 3 cells where the first line has 2"]


def test_a_list_may_be_only_so_long(test: ListeningTest, user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.scoring.pair_lists.MOST_ROWS", 2)
    with pytest.raises(Refused) as refusal:
        send(test, user, csv_of(("file", "caption"), *[("a.wav", "Rain")] * 3))
    assert str(refusal.value) == "The list has more than 2 rows. Send it in parts."


def test_clips_of_other_tests_are_not_there(test: ListeningTest, user: User) -> None:
    other = make_pair(make_test(), clip=make_sound()).clip
    with pytest.raises(ListRefused):
        send(test, user, csv_of(("file", "caption"), (str(other.uuid), "Rain")))


def test_a_repeat_is_the_same_scoring_and_too_many_are_refused(test: ListeningTest, user: User) -> None:
    content, uuid = csv_of(("file", "caption"), ("a.wav", "Rain")), uuid4()
    first = send(test, user, content, uuid=uuid)
    assert send(test, user, content, uuid=uuid) == first
    for _ in range(MOST_ACTIVE - 1):
        send(test, user, content)
    with pytest.raises(Refused) as refusal:
        send(test, user, content)
    assert str(refusal.value) == "10 lists of yours wait to be scored already. Send the next when one is done."
    assert ScoringJob.objects.count() == MOST_ACTIVE


def test_a_second_delivery_does_nothing(test: ListeningTest, user: User) -> None:
    job = execute(send(test, user, csv_of(("file", "caption"), ("a.wav", "Rain"))))
    ended = job.finished_at
    assert execute(job).finished_at == ended


def test_a_promotion_scores_the_tests_pairs(test: ListeningTest, user: User, settings: Settings) -> None:
    """Each once but hidden repeats, with what the model has learned from; a new champion's take their place."""
    original = test.pairs.earliest("pk")
    make_pair(test, role=PairRole.REPEAT, clip=original.clip, caption=original.caption, repeat_of=original)
    first = make_champion(test, settings)
    learned_from(first, clips=(clip_named("b.wav").sha256 or "",), captions=("a DOG barks",))
    model_promote(version=make_model_like(first), user=user, reason="To see.")
    roll_back = model_roll_back(version=ModelVersion.objects.latest("pk"), user=user)
    assert roll_back.version == first

    jobs = ScoringJob.objects.filter(kind=ScoringKind.PAIRS).order_by("pk")
    assert [job.version for job in jobs] == [ModelVersion.objects.latest("pk"), first]
    late, job = (execute(one) for one in jobs)
    assert (late.status, job.status) == (ScoringStatus.DONE, ScoringStatus.DONE)
    scores = ModelScore.objects.select_related("pair__clip", "pair__caption")
    assert {score.version for score in scores} == {first}
    assert scores.count() == job.total == 6
    told = {(score.pair.clip.name, score.pair.caption.text): score.has_learned for score in scores}
    assert {key for key, has_learned in told.items() if not has_learned} == {
        ("a.wav", "Rain on a roof"),
        ("c.wav", "Rain on a roof"),
    }
    wanted = Scorer.open(Path(settings.MEDIA_ROOT) / first.directory)
    for score in scores:
        expected = wanted.score(Path(score.pair.clip.original.path), score.pair.caption.text)
        assert (score.cosine, score.score, score.score_sd) == (expected.cosine, expected.score, expected.score_sd)
    assert len(table_of(job)) == 6


def make_model_like(version: ModelVersion) -> ModelVersion:
    """Another model of the same test and question, with the same files."""
    run = version.run
    run.pk, run.uuid = None, uuid4()
    run.save()
    return ModelVersion.objects.create(run=run, directory=version.directory, weights_sha256="d4" * 32)


def learned_from(version: ModelVersion, *, clips: tuple[str, ...], captions: tuple[str, ...]) -> None:
    told = Provenance("5a", "rain", "builtin", (), (), clips, tuple(caption_sha256(text) for text in captions))
    write_provenance(told, Path(site.MEDIA_ROOT) / version.directory)


def test_a_model_that_does_not_say_what_it_learned_from(test: ListeningTest, settings: Settings) -> None:
    job, _ = pairs_scoring_make(version=make_champion(test, settings))
    execute(job)
    assert set(ModelScore.objects.values_list("has_learned", flat=True)) == {None}


def test_all_pairs_are_scored_once_at_a_time(test: ListeningTest, user: User, settings: Settings) -> None:
    question = test.questions.get().name
    with pytest.raises(Refused) as refusal:
        pairs_scoring_request(test=test, question=question)
    assert str(refusal.value).startswith(f"No tuned model is in use for “{question}”")
    make_champion(test, settings)
    job, is_new = pairs_scoring_request(test=test, question=question, requested_by=user)
    assert is_new
    assert pairs_scoring_request(test=test, question=question) == (job, False)
    execute(job)
    again, is_new = pairs_scoring_request(test=test, question=question)
    assert is_new and again != job
    Pair.objects.all().delete()
    scoring_cancel(job=again)
    with pytest.raises(Refused) as refusal:
        pairs_scoring_request(test=test, question=question)
    assert str(refusal.value).endswith("has no pairs with a sound yet. Upload clips first.")


def test_one_that_waits_is_cancelled_at_once(test: ListeningTest, user: User) -> None:
    job = send(test, user, csv_of(("file", "caption"), ("a.wav", "Rain")))
    cancelled = scoring_cancel(job=job)
    assert (cancelled.status, cancelled.message) == (ScoringStatus.CANCELLED, "Cancelled before it began.")
    assert execute(job).status == ScoringStatus.CANCELLED
    assert scoring_cancel(job=job).status == ScoringStatus.CANCELLED


def test_one_at_work_stops_within_a_part(test: ListeningTest, user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "PROGRESS_EVERY_S", 0.0)
    job = send(test, user, csv_of(("file", "caption"), ("a.wav", "Rain"), ("b.wav", "Wind")))
    opened = work._opened

    def cancel_meanwhile(asked: ScoringJob) -> object:
        scoring_cancel(job=ScoringJob.objects.get(pk=asked.pk))
        return opened(asked)

    monkeypatch.setattr(work, "_opened", cancel_meanwhile)
    assert execute(job).status == ScoringStatus.CANCELLED
    assert not scores_path(job).exists()


def test_a_worker_that_is_stopped_gives_it_back(
    test: ListeningTest, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = send(test, user, csv_of(("file", "caption"), ("a.wav", "Rain")))
    monkeypatch.setattr(work, "stop_requested", lambda: True)
    assert execute(job).status == ScoringStatus.QUEUED
    monkeypatch.setattr(work, "stop_requested", lambda: False)
    assert execute(job).status == ScoringStatus.DONE


def test_one_whose_process_died_begins_anew_a_bounded_number_of_times(test: ListeningTest, user: User) -> None:
    job = send(test, user, csv_of(("file", "caption"), ("a.wav", "Rain")))
    for _ in range(3):
        die(job)
        assert scorings_take_back() == 1
        job.refresh_from_db()
        assert job.status == ScoringStatus.QUEUED
    die(job)
    scorings_take_back()
    job.refresh_from_db()
    assert job.status == ScoringStatus.ERRORED
    assert job.message.startswith("The worker of this scoring stopped without a word, again and again.")


def die(job: ScoringJob) -> None:
    long_ago = timezone.now() - timedelta(hours=1)
    ScoringJob.objects.filter(pk=job.pk).update(
        status=ScoringStatus.RUNNING, host="another:1", heartbeat_at=long_ago, started_at=long_ago
    )


def test_one_that_lives_is_left_alone(test: ListeningTest, user: User) -> None:
    job = send(test, user, csv_of(("file", "caption"), ("a.wav", "Rain")))
    ScoringJob.objects.filter(pk=job.pk).update(
        status=ScoringStatus.RUNNING, host=host_name(), heartbeat_at=timezone.now()
    )
    assert scorings_take_back() == 0


def test_a_sound_that_cannot_be_heard_fails_the_whole(test: ListeningTest, user: User) -> None:
    job = send(test, user, csv_of(("file", "caption"), ("a.wav", "Rain"), ("b.wav", "Rain")))
    Path(clip_named("b.wav").original.path).write_bytes(b"no sound")
    failed = execute(job)
    assert failed.status == ScoringStatus.FAILED
    assert failed.message == (
        "Some sounds cannot be scored, so none is.\nrow 2, file: b.wav cannot be decoded as audio."
    )
    assert not scores_path(job).exists()


def test_a_fault_of_ours_is_kept_with_its_traceback(
    test: ListeningTest, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = send(test, user, csv_of(("file", "caption"), ("a.wav", "Rain")))
    monkeypatch.setattr(work, "_write", lambda *_: 1 / 0)
    errored = execute(job)
    assert errored.status == ScoringStatus.ERRORED
    assert "ZeroDivisionError" in errored.traceback


def test_a_model_whose_files_are_damaged_fails_the_scoring(test: ListeningTest, settings: Settings) -> None:
    version = make_champion(test, settings)
    (Path(settings.MEDIA_ROOT) / version.directory / "model.safetensors").unlink()
    job, _ = pairs_scoring_make(version=version)
    assert execute(job).status == ScoringStatus.FAILED
    assert "has no weights in safetensors" in job.message


def test_old_files_go_and_the_row_stays(test: ListeningTest, user: User) -> None:
    job = execute(send(test, user, csv_of(("file", "caption"), ("a.wav", "Rain"))))
    assert scorings_clear_up() == 0
    ScoringJob.objects.update(finished_at=timezone.now() - timedelta(days=31))
    assert scorings_clear_up() == 1
    job.refresh_from_db()
    assert not job.has_scores
    assert not list_path(job).exists() and not scores_path(job).exists()


def test_models_in_use_since_before_are_set_to_work_once(test: ListeningTest, settings: Settings) -> None:
    version = make_champion(test, settings)
    scorings_set_right()
    scorings_set_right()
    assert ScoringJob.objects.get().version == version
    assert ScoringJob.objects.get().kind == ScoringKind.PAIRS


def test_the_model_in_use_is_named(test: ListeningTest, settings: Settings) -> None:
    question = test.questions.get()
    assert model_in_use(test=test, question=question) == ModelInUse(None, "builtin")
    version = make_champion(test, settings)
    assert model_in_use(test=test, question=question) == ModelInUse(version, version.directory)
