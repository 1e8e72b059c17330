"""What takes long to count is counted seldom: a page that many look at, or that refreshes itself, waits for it once.

A number is kept for twenty times as long as it took to count, in the memory of this process. What took less than a
tenth of a second is counted each time, so that small tests are always shown as they are.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

T = TypeVar("T")

KEPT_FOR = 20.0
QUICK_S = 0.1
# A table of 100,000 pairs is a few megabytes.
MOST_KEPT = 16


@dataclass(frozen=True)
class _Counted(Generic[T]):
    value: T
    at: float
    took_s: float


class Keeper:
    """`clock` tells seconds. Of several who ask at once, one counts; the others take what is there, or wait."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._counted: OrderedDict[Hashable, _Counted[Any]] = OrderedDict()
        self._counting: dict[Hashable, threading.Lock] = {}

    def get(self, key: Hashable, count: Callable[[], T]) -> T:
        kept = self._kept(key)
        if kept is not None and self._is_fresh(kept):
            return cast(T, kept.value)
        with self._lock:
            turn = self._counting.setdefault(key, threading.Lock())
        if kept is None:
            turn.acquire()
        elif not turn.acquire(blocking=False):
            return cast(T, kept.value)
        try:
            # Who waited finds what the one before counted.
            kept = self._kept(key)
            return cast(T, kept.value) if kept is not None and self._is_fresh(kept) else self._count(key, count)
        finally:
            turn.release()

    def _kept(self, key: Hashable) -> _Counted[Any] | None:
        with self._lock:
            return self._counted.get(key)

    def _is_fresh(self, kept: _Counted[Any]) -> bool:
        return self._clock() < kept.at + KEPT_FOR * kept.took_s

    def _count(self, key: Hashable, count: Callable[[], T]) -> T:
        start = self._clock()
        value = count()
        end = self._clock()
        with self._lock:
            self._counted.pop(key, None)
            if end - start >= QUICK_S:
                self._counted[key] = _Counted(value, at=end, took_s=end - start)
            while len(self._counted) > MOST_KEPT:
                dropped, _ = self._counted.popitem(last=False)
                self._counting.pop(dropped, None)
        return value


_keeper = Keeper()


def kept(key: Hashable, count: Callable[[], T]) -> T:
    """What `count` gives, or gave a short while ago under the same key. Nobody may change it."""
    return _keeper.get(key, count)
