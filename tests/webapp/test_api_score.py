"""Scores through the API: who may ask for which model's, of what sound, and what is said where nobody answers."""

import io
import json
import socket
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import numpy as np
import pytest
import soundfile
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from pytest_django import DjangoAssertNumQueries, Settings

from listening_tests.choices import Role
from listening_tests.models import Clip, ListeningTest, Pair
from modeling.scoring import Scorer
from tests.factories import make_pair, make_test
from tests.scorers import make_champion, running
from tests.webapp.api import Script, make_script
from tests.worker.studies import make_sound
from worker.models import ModelVersion
from worker.scoring import client
from worker.scoring.messages import Answered, Scored
from worker.scoring.residents import Question
from worker.scoring.server import Scorer as Server

pytestmark = pytest.mark.django_db

CAPTIONS = ["Rain on a roof", "a dog barks"]


@pytest.fixture(scope="module")
def server() -> Server:
    """One for all, so that the model is loaded once."""
    return Server(at_once=32)


@pytest.fixture
def scorer(server: Server) -> Iterator[str]:
    with running(server) as address:
        yield address


@pytest.fixture
def test(settings: Settings) -> ListeningTest:
    settings.EARMARK_PRESET = "small"
    return make_test(slug="rain")


@pytest.fixture
def script(test: ListeningTest) -> Script:
    return make_script(test, Role.ASSISTANT)


def wav(seconds: float = 0.5, seed: int = 0) -> bytes:
    stream = io.BytesIO()
    samples = np.random.default_rng(seed).uniform(-0.5, 0.5, round(seconds * 48_000))
    soundfile.write(stream, samples, 48_000, format="WAV")
    return stream.getvalue()


def send(script: Script, content: bytes, name: str = "rain.wav", **fields: Any) -> Any:
    told = {"test": "rain", "captions": CAPTIONS, "audio": SimpleUploadedFile(name, content)}
    return script.upload("score/", told | fields)


def test_it_works(scorer: str, script: Script, tmp_path: Path) -> None:
    """A sound that is sent, by the untuned model, which says that it is."""
    (tmp_path / "rain.wav").write_bytes(wav())

    response = send(script, wav())

    assert response.status_code == 200
    found = response.json()
    assert found["model"] == {"uuid": None, "name": "builtin, untuned", "is_tuned": False, "note": ""}
    wanted = [Scorer.open("builtin").score(tmp_path / "rain.wav", caption) for caption in CAPTIONS]
    assert found["scores"] == [
        {"caption": caption, "cosine": score.cosine, "score": score.score, "score_sd": None}
        for caption, score in zip(CAPTIONS, wanted, strict=True)
    ]
    assert send(script, wav()).json() == found


def test_the_champion_answers_of_a_stored_clip(
    scorer: str, script: Script, test: ListeningTest, settings: Settings
) -> None:
    """As soon as it is in use, and the one before it when it is rolled back."""
    pair = make_pair(test, clip=make_sound())
    asked = {"test": "rain", "clip": str(pair.clip.uuid), "captions": CAPTIONS}
    untuned = script.post("score/", asked).json()

    version = make_champion(test, settings)

    found = script.post("score/", asked).json()
    assert found["model"] == {"uuid": str(version.uuid), "name": str(version), "is_tuned": True, "note": ""}
    opened = Scorer.open(Path(settings.MEDIA_ROOT) / version.directory)
    wanted = opened.score(Path(pair.clip.original.path), CAPTIONS[0])
    assert found["scores"][0] == {"caption": CAPTIONS[0], **vars(wanted)}
    assert found["scores"][0]["score_sd"] == 1.25
    assert [row["cosine"] for row in found["scores"]] == [row["cosine"] for row in untuned["scores"]]
    assert script.post("score/", {**asked, "model": str(version.uuid)}).json() == found


def test_few_queries(
    scorer: str,
    script: Script,
    test: ListeningTest,
    settings: Settings,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    """The token, the test, its model, the clip."""
    pair = make_pair(test, clip=make_sound())
    make_champion(test, settings)
    asked = {"test": "rain", "clip": str(pair.clip.uuid), "captions": CAPTIONS}
    script.post("score/", asked)
    with django_assert_num_queries(4):
        assert script.post("score/", asked).status_code == 200


def test_the_browsable_page_offers_what_is_asked(script: Script) -> None:
    page = script.client.get("/api/score/", headers=script.headers | {"Accept": "text/html"})
    assert page.status_code == 405
    assert 'name="clip"' in page.text
    assert 'name="is_tuned"' not in page.text


def test_who_may_see_every_test_asks_of_every_test(scorer: str) -> None:
    pair = make_pair(make_test(slug="wind"), clip=make_sound())
    asked = {"test": "wind", "clip": str(pair.clip.uuid), "captions": CAPTIONS}
    script = make_script(name="chief")
    assert script.post("score/", asked).status_code == 404
    User.objects.filter(username="chief").update(is_superuser=True)
    assert script.post("score/", asked).status_code == 200
    User.objects.filter(username="chief").update(is_staff=False)
    assert script.post("score/", asked).status_code == 403


def test_many_at_once_get_what_each_asked_for(script: Script, test: ListeningTest) -> None:
    """Answered together, and as if each had been alone."""
    together: list[int] = []
    residents = Echo(together)
    with running(Server(at_once=8, residents=residents)):
        residents.hold()
        with ThreadPoolExecutor(6) as pool:
            asked = [pool.submit(ask_directly, f"caption {number}") for number in range(6)]
            residents.wait_until_asked()
            residents.release()
            answers = [one.result().scores[0].cosine for one in asked]
    assert answers == [float(number) for number in range(6)]
    assert max(together) > 1


class Echo:
    """Stands for the models: answers with the caption's number, and can be held up at work."""

    def __init__(self, together: list[int]) -> None:
        self.together = together
        self.may_go = threading.Event()
        self.has_come = threading.Event()
        self.may_go.set()

    def hold(self) -> None:
        self.may_go.clear()

    def release(self) -> None:
        self.may_go.set()

    def wait_until_asked(self) -> None:
        assert self.has_come.wait(30)

    def answer(self, questions: Sequence[Question]) -> list[Answered | Exception]:
        self.together.append(len(questions))
        self.has_come.set()
        assert self.may_go.wait(30)
        return [Answered((Scored(float(one.captions[0].split()[-1]), 5.0, None),), "echo", "") for one in questions]


def ask_directly(caption: str, within_s: float = 30) -> Answered:
    return client.ask(
        client.Asked(
            model="builtin", is_stored=False, captions=(caption,), name="rain.wav", content=wav(), within_s=within_s
        )
    )


def test_a_full_queue_says_so(script: Script) -> None:
    """One is worked on, one waits, whoever comes then is sent away, and told when to come back."""
    residents = Echo([])
    residents.hold()
    with running(Server(at_once=1, most_waiting=1, residents=residents)), ThreadPoolExecutor(3) as pool:
        first = pool.submit(ask_directly, "caption 1")
        residents.wait_until_asked()
        two = [pool.submit(ask_directly, f"caption {number}") for number in (2, 2)]
        sent_away, waiting = wait(two, timeout=30, return_when=FIRST_COMPLETED)
        response = send(script, wav())
        residents.release()
        assert first.result().scores[0].cosine == 1
        assert [one.result().scores[0].cosine for one in waiting] == [2]
    assert [type(one.exception()) for one in sent_away] == [client.ScorerBusy]
    assert response.status_code == 429
    assert response.headers["Retry-After"] == "1"
    assert response.json()["detail"] == (
        "So many questions wait for the scorer already that this one was not taken. Ask again in a second."
    )


def test_only_so_many_of_one_web_process_wait(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_places", threading.BoundedSemaphore(1))
    with client._places:
        response = send(script, wav())
    assert (response.status_code, response.headers["Retry-After"]) == (429, "1")
    assert response.json()["detail"] == client.BUSY


def test_nobody_answers(script: Script, settings: Settings) -> None:
    settings.EARMARK_SCORER = f"unix:{settings.EARMARK_HOME}/nobody.sock"
    response = send(script, wav())
    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    assert response.json()["detail"] == (
        "The scorer does not answer just now; it is started again by itself. Ask again in a few seconds."
    )


def test_a_scorer_that_dies_at_work_is_told_at_once(script: Script, settings: Settings) -> None:
    """As its process is killed: connections end without an answer."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.EARMARK_SCORER = f"http://127.0.0.1:{server.getsockname()[1]}"
        threading.Thread(target=die_again_and_again, args=(server,), daemon=True).start()
        response = send(script, wav())
    assert (response.status_code, response.json()["detail"]) == (503, client.AWAY)


def die_again_and_again(server: socket.socket) -> None:
    """Hears the beginning of each question, until nobody listens any more."""
    with suppress(OSError):
        while True:
            connection, _ = server.accept()
            connection.recv(1)
            connection.close()


def test_an_answer_that_comes_too_late_is_none(script: Script, settings: Settings) -> None:
    settings.EARMARK_SCORE_SECONDS = 0.2
    residents = Echo([])
    residents.hold()
    with running(Server(at_once=1, residents=residents)):
        response = send(script, wav())
        residents.release()
    assert response.status_code == 503
    assert response.json()["detail"] == (
        "The scorer did not come to this question in time. Ask again, with fewer captions or a shorter sound."
    )


def test_a_fault_at_work_is_told_and_outlived(script: Script) -> None:
    class Broken(Echo):
        def answer(self, questions: Sequence[Question]) -> list[Answered | Exception]:
            if questions[0].captions[0] != "caption 1":
                raise ZeroDivisionError
            return super().answer(questions)

    with running(Server(at_once=1, residents=Broken([]))):
        response = send(script, wav())
        assert ask_directly("caption 1").scores[0].cosine == 1
    assert response.status_code == 503
    assert response.json()["detail"].startswith("The scorer met a fault of Earmark")


BAD_SOUNDS = [
    (b"no sound at all", "rain.wav cannot be decoded as wav, flac, ogg, mp3 or m4a"),
    (wav(0.05), "rain.wav lasts 0.050 s. A clip lasts between 0.1 and 60 s."),
    (wav(61), "rain.wav lasts more than 60 s."),
    (b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile:///etc/passwd\n", "rain.wav cannot be decoded"),
    (b"ffconcat version 1.0\nfile /etc/passwd\n", "rain.wav cannot be decoded"),
]


@pytest.mark.parametrize(("content", "told"), BAD_SOUNDS)
def test_what_is_no_sound_is_refused(scorer: str, script: Script, content: bytes, told: str) -> None:
    response = send(script, content)
    assert response.status_code == 422
    assert response.json()["detail"].startswith(told)


def test_one_bad_sound_costs_the_others_nothing(server: Server, script: Script, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.wav", tmp_path / "bad.wav"
    good.write_bytes(wav())
    found = server_residents(server).answer(
        [Question("builtin", False, path, path.name, ("rain",)) for path in (bad, good)]
    )
    assert str(found[0]) == "bad.wav does not exist or is no file."
    assert isinstance(found[1], Answered)


def server_residents(server: Server) -> Any:
    return server._batcher._work.__self__  # type: ignore[attr-defined]


@pytest.mark.parametrize("body", ["", "null", "[]", "{}"])
def test_who_sends_nothing_is_told_what_is_missing(script: Script, body: str) -> None:
    response = script.client.post("/api/score/", body, content_type="application/json", headers=script.headers)
    assert response.status_code == 400
    assert response.json()["problems"] == [{"where": "captions", "message": "This field is required."}]


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"captions": ["a"], "test": "rain"}, "Name a clip of a test that you work on (clip), or send a sound (audio)"),
        ({"captions": ["a"], "clip": str(uuid4())}, "Name a test, whose model in use is to answer, or a model"),
        ({"captions": [], "test": "rain", "clip": str(uuid4())}, "Ensure this field has at least 1 elements."),
        ({"captions": ["a"] * 101, "test": "rain", "clip": str(uuid4())}, "Ensure this field has no more than 100"),
        ({"captions": ["a" * 2_001], "test": "rain", "clip": str(uuid4())}, "Ensure this field has no more than 2000"),
    ],
)
def test_what_cannot_be_asked(script: Script, asked: dict[str, Any], told: str) -> None:
    response = script.post("score/", asked)
    assert response.status_code == 400
    assert told in json.dumps(response.json())


def test_a_question_that_is_not_asked_is_refused(script: Script, test: ListeningTest) -> None:
    pair = make_pair(test, clip=make_sound())
    asked = {"test": "rain", "question": "beauty", "clip": str(pair.clip.uuid), "captions": CAPTIONS}
    response = script.post("score/", asked)
    assert response.status_code == 422
    assert response.json()["detail"].startswith("The test rain asks no question 'beauty'.")


def test_tests_models_and_clips_of_others_are_not_there(
    scorer: str, script: Script, test: ListeningTest, settings: Settings
) -> None:
    other = make_test(slug="wind")
    theirs, ours = make_pair(other, clip=make_sound()), make_pair(test, clip=make_sound())
    version = make_champion(other, settings)
    for asked in (
        {"test": "wind", "clip": ours.clip.uuid},
        {"test": "rain", "clip": theirs.clip.uuid},
        {"model": version.uuid, "clip": ours.clip.uuid},
        {"test": "rain", "model": version.uuid, "clip": ours.clip.uuid},
    ):
        body = {name: str(value) for name, value in asked.items()}
        response = script.post("score/", {**body, "captions": CAPTIONS})
        assert response.status_code == 404, asked


def test_a_clip_without_its_sound_and_a_model_without_its_files(
    script: Script, test: ListeningTest, settings: Settings
) -> None:
    pair = make_pair(test, clip=make_sound())
    version = make_champion(test, settings)
    ModelVersion.objects.update(files_removed_at=version.created_at)
    asked = {"model": str(version.uuid), "clip": str(pair.clip.uuid), "captions": CAPTIONS}
    response = script.post("score/", asked)
    assert response.status_code == 422
    assert response.json()["detail"].startswith(f"The files of {version} were cleared away to save space.")

    ModelVersion.objects.update(files_removed_at=None)
    Pair.objects.update(clip=Clip.objects.create(name="lost.wav"))
    response = script.post("score/", {**asked, "clip": str(Pair.objects.get().clip.uuid)})
    assert response.status_code == 422
    assert response.json()["detail"] == (
        "The sound of lost.wav is not here: its ratings were imported without it. Upload the sound."
    )


def test_a_model_that_cannot_be_opened_is_told(
    scorer: str, script: Script, test: ListeningTest, settings: Settings
) -> None:
    version = make_champion(test, settings)
    (Path(settings.MEDIA_ROOT) / version.directory / "model.safetensors").unlink()
    response = send(script, wav())
    assert response.status_code == 503
    assert response.json()["detail"].startswith("The model cannot be opened: ")


def test_what_is_too_large_is_refused_unread(script: Script) -> None:
    response = script.client.post(
        "/api/score/", data=b"", content_type="multipart/form-data; boundary=x",
        headers=script.headers, CONTENT_LENGTH=str(27 * 1024**2),
    )  # fmt: skip
    assert response.status_code == 422
    assert response.json()["detail"].startswith("What was sent is larger than 25 MB.")


def test_the_scorer_answers_its_site_alone(scorer: str) -> None:
    response = httpx2.post(f"{scorer}/score", content=b"{}")
    assert response.status_code == 401
    assert httpx2.post(f"{scorer}/score", content=b"{}", headers={"Authorization": "Bearer x"}).status_code == 401


def test_what_is_no_question_is_malformed(scorer: str) -> None:
    headers = {"Authorization": f"Bearer {client.password()}"}
    for body in (b"{}", b"[]", b"x", b'{"captions": 3}'):
        assert httpx2.post(f"{scorer}/score", content=body, headers=headers).status_code == 400
    assert httpx2.post(f"{scorer}/elsewhere", content=b"{}", headers=headers).status_code == 404
