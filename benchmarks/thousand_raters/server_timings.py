"""A configuration for gunicorn, during this proof alone: writes down how long each request took at the server.

A client that shares the processors with the server reads its answers late; these lines do not wait for it. Each holds
when the request was done, its method, status and path, how many milliseconds passed from its sending (as the client's
header tells) until a thread took it, how many more until the last byte was handed over, and how many of these the
thread had a processor. No addresses.
"""

import os
import time
from typing import Any

SENT_AT = "X-SENT-AT"
_files: list[int] = []


def on_starting(server: Any) -> None:
    _files.append(os.open(os.environ["EARMARK_TIMINGS"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))


def pre_request(worker: Any, request: Any) -> None:
    request.taken_at, request.worked_before = time.time(), time.thread_time()


def post_request(worker: Any, request: Any, environ: Any, response: Any) -> None:
    done_at = time.time()
    sent_at = next((float(value) for name, value in request.headers if name == SENT_AT), request.taken_at)
    waited_ms, took_ms = 1000 * (request.taken_at - sent_at), 1000 * (done_at - request.taken_at)
    status = str(response.status).split()[0] if response else "0"
    worked_ms = 1000 * (time.thread_time() - request.worked_before)
    line = f"{done_at:.6f} {request.method} {status} {request.path} {waited_ms:.3f} {took_ms:.3f} {worked_ms:.3f}\n"
    # One write of one line is not broken up by those of other workers.
    os.write(_files[0], line.encode())
