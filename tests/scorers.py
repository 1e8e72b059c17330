"""Models at work in tests: the real scorer behind a real port, in a thread of the test's own process, and a champion
that scores.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from django.test import override_settings
from pytest_django import Settings

from listening_tests.models import ListeningTest
from modeling.loading import BUILTIN_DIR
from modeling.scoring import Calibration, write_calibration
from tests.webapp.factories import make_done_run
from worker.models import ModelVersion, Promotion, PromotionTrigger
from worker.scoring.server import Scorer


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def running(scorer: Scorer) -> Iterator[str]:
    """The site asks this scorer while the body lasts; gives its address."""
    with make_server("127.0.0.1", 0, scorer, server_class=_Server, handler_class=_Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        address = f"http://127.0.0.1:{server.server_port}"
        with override_settings(EARMARK_SCORER=address):
            yield address
        server.shutdown()
        thread.join()


def make_champion(test: ListeningTest, settings: Settings) -> ModelVersion:
    """The built-in model with a calibration of its own, in use."""
    version = make_done_run(test, question=test.questions.get().name).model_version
    version.directory = f"runs/{version.run.uuid}/model"
    version.save()
    place = Path(settings.MEDIA_ROOT) / version.directory
    place.mkdir(parents=True)
    for path in BUILTIN_DIR.iterdir():
        (place / path.name).symlink_to(path)
    write_calibration(Calibration(2.0, 5.0, 1.25, "validation", 100), place)
    put_in_use(version)
    return version


def put_in_use(version: ModelVersion) -> None:
    Promotion.objects.create(
        test=version.run.test,
        question=version.run.question,
        version=version,
        trigger=PromotionTrigger.ITSELF,
        reason="Better.",
    )
