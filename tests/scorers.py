"""The scorer as tests run it: the real application behind a real port, in a thread of the test's own process."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from django.test import override_settings

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
