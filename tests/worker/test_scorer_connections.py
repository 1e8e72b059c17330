"""The connection on which a thread of the web server asks the scorer, from one question to the next."""

import socket
import threading
from contextlib import suppress

from pytest_django import Settings

from worker.scoring.client import ask
from worker.scoring.messages import Answered, Asked, Scored, pack_answer


def test_a_connection_that_the_scorer_closed_is_made_anew(settings: Settings) -> None:
    """As when it is started again: the connection that was kept from the question before is none any more."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        question = Asked(model="builtin", is_stored=False, captions=("rain",), name="", within_s=30, sound="rain.wav")
        settings.EARMARK_SCORER = f"http://127.0.0.1:{server.getsockname()[1]}"
        threading.Thread(target=answer_and_close, args=(server,), daemon=True).start()
        assert [ask(question).scores[0].cosine for _ in range(3)] == [0.5, 0.5, 0.5]


def answer_and_close(server: socket.socket) -> None:
    """Says that it keeps each connection, and closes it after its first answer."""
    answer = pack_answer(Answered((Scored(0.5, 5.0, None),), "echo", ""))
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(answer)}\r\n\r\n".encode()
    with suppress(OSError):
        while True:
            connection, _ = server.accept()
            with connection, connection.makefile("rb") as heard:
                lines = list(iter(heard.readline, b"\r\n"))
                heard.read(next(int(line[15:]) for line in lines if line.lower().startswith(b"content-length")))
                connection.sendall(head + answer)
