"""All cores, and yet the same bits: independent pieces of work go to threads in which torch has one thread each.

Under OpenMP the number of torch's threads belongs to the thread that sets it; what new threads start with is put back
afterwards.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import torch

Item = TypeVar("Item")
Result = TypeVar("Result")
AHEAD = 2


@contextmanager
def cpu_threads(number: int) -> Iterator[None]:
    """Let torch use this many CPU threads; 0 leaves its own choice."""
    before = torch.get_num_threads()
    torch.set_num_threads(number or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def on_all_cores(work: Callable[[Item], Result], items: Iterable[Item]) -> Generator[Result, None, None]:
    """`work` of every item, in order, as many at a time as torch has threads here; each is done in one thread.

    At most two results a thread wait to be taken. What `work` raises is raised at its turn, and the rest is left.
    """
    threads = torch.get_num_threads()
    pool = ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,))
    running: deque[Future[Result]] = deque()
    try:
        for item in items:
            running.append(pool.submit(work, item))
            if len(running) > AHEAD * threads:
                yield running.popleft().result()
        while running:
            yield running.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(threads)
