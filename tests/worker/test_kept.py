"""What takes long is counted seldom."""

from itertools import count

from worker.kept import KEPT_FOR, MOST_KEPT, Keeper


class Clock:
    """Seconds that pass where a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_it_works() -> None:
    clock, numbers = Clock(), count(1)
    keeper = Keeper(clock)

    def slow() -> int:
        clock.now += 2
        return next(numbers)

    assert [keeper.get("key", slow) for _ in range(3)] == [1, 1, 1]
    clock.now += 2 * KEPT_FOR
    assert keeper.get("key", slow) == 2
    assert keeper.get("other", slow) == 3


def test_what_is_quick_is_counted_each_time() -> None:
    keeper, numbers = Keeper(Clock()), count(1)
    assert [keeper.get("key", lambda: next(numbers)) for _ in range(3)] == [1, 2, 3]


def test_only_so_much_is_kept() -> None:
    clock = Clock()
    keeper = Keeper(clock)

    def slow() -> float:
        clock.now += 10
        return clock.now

    first = keeper.get(0, slow)
    assert keeper.get(0, slow) == first
    for key in range(1, MOST_KEPT + 1):
        keeper.get(key, slow)
    assert keeper.get(0, slow) != first


def test_a_fault_is_not_kept() -> None:
    keeper = Keeper(Clock())

    def fail() -> int:
        raise ValueError

    for _ in range(2):
        try:
            keeper.get("key", fail)
        except ValueError:
            continue
        raise AssertionError("The fault was hidden.")
    assert keeper.get("key", lambda: 1) == 1
