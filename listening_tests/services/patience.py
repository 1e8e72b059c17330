"""Transactions that are done again: where what they need is in other hands this moment, or PostgreSQL ended one.

Who draws a pair waits for none. But even where it passes by locked rows PostgreSQL can wait for a row's newer version,
so that two transactions may wait for each other; it ends one of them, which is then simply done again.
"""

import functools
import random
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from django.db import OperationalError, connection
from psycopg.errors import DeadlockDetected

P = ParamSpec("P")
T = TypeVar("T")

# In seconds: those who are in the way are done within milliseconds.
PAUSES_S = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8)


class InOtherHands(Exception):
    """What is needed is there, but locked by others."""


def patiently(transaction: Callable[P, T]) -> Callable[P, T]:
    """Does a transaction again, after short pauses. Raises what it raised last when patience ends.

    Inside another transaction, which alone could begin anew, it is done once.
    """

    @functools.wraps(transaction)
    def done(*args: P.args, **kwargs: P.kwargs) -> T:
        for pause_s in () if connection.in_atomic_block else PAUSES_S:
            try:
                return transaction(*args, **kwargs)
            except InOtherHands:
                pass
            except OperationalError as error:
                if not isinstance(error.__cause__, DeadlockDetected):
                    raise
            time.sleep(pause_s * random.uniform(0.5, 1.5))  # noqa: S311 -- so that two do not come again together
        return transaction(*args, **kwargs)

    return done
