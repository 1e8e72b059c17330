"""Questions that wait are answered together: one thread takes what has come, works on all of it at once, goes on."""

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Generic, TypeVar

logger = logging.getLogger(__name__)

Question = TypeVar("Question")
Answer = TypeVar("Answer")


class Full(Exception):
    """As many wait as may; nothing was taken."""


class Late(Exception):
    """The answer did not come in time; if the question still waits, nobody works on it any more."""


@dataclass(frozen=True)
class _Waiting(Generic[Question, Answer]):
    question: Question
    until: float
    answer: "Future[Answer]" = field(default_factory=Future)


class Batcher(Generic[Question, Answer]):
    """`work` answers at most `at_once` questions, each with an answer or with an exception to be raised.

    It is called in one thread. At most `most_waiting` questions wait for it; `gather_s` seconds are waited for company
    where fewer than `at_once` have come.
    """

    def __init__(
        self,
        work: Callable[[Sequence[Question]], Sequence[Answer | Exception]],
        *,
        at_once: int,
        most_waiting: int,
        gather_s: float,
    ) -> None:
        self._work = work
        self._at_once = at_once
        self._gather_s = gather_s
        self._queue: queue.Queue[_Waiting[Question, Answer]] = queue.Queue(most_waiting)
        self._guard = threading.Lock()
        self._thread: threading.Thread | None = None

    def ask(self, question: Question, *, within_s: float) -> Answer:
        """Raises Full, Late, or what `work` has for this question."""
        self._ensure_thread()
        waiting: _Waiting[Question, Answer] = _Waiting(question, time.monotonic() + within_s)
        try:
            self._queue.put_nowait(waiting)
        except queue.Full:
            raise Full from None
        try:
            return waiting.answer.result(within_s)
        except TimeoutError:
            waiting.answer.cancel()
            raise Late from None

    def _ensure_thread(self) -> None:
        """Begun with the first question, so that it belongs to the process that answers."""
        with self._guard:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="batcher", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            batch = [waiting for waiting in self._gathered() if self._is_wanted(waiting)]
            if batch:
                self._answer(batch)

    def _gathered(self) -> list[_Waiting[Question, Answer]]:
        """The first that comes, what waits behind it, and what comes within the time for company."""
        batch = [self._queue.get()]
        over = time.monotonic() + self._gather_s
        while len(batch) < self._at_once:
            try:
                batch.append(self._queue.get(timeout=max(0.0, over - time.monotonic())))
            except queue.Empty:
                break
        return batch

    def _is_wanted(self, waiting: _Waiting[Question, Answer]) -> bool:
        return time.monotonic() < waiting.until and waiting.answer.set_running_or_notify_cancel()

    def _answer(self, batch: list[_Waiting[Question, Answer]]) -> None:
        try:
            answers = self._work([waiting.question for waiting in batch])
        except Exception as error:
            logger.exception("%d questions could not be answered.", len(batch))
            answers = [error] * len(batch)
        for waiting, answer in zip(batch, answers, strict=True):
            if isinstance(answer, Exception):
                waiting.answer.set_exception(answer)
            else:
                waiting.answer.set_result(answer)
