"""Training runs while their worker is killed, their task comes twice, their snapshot was changed; in small
benchmarks/run_faults.py, which strikes 20 times each, and the broker, PostgreSQL and the web server too.
"""

import pytest

from benchmarks.installation import Installation
from benchmarks.run_faults import BLOWS, Runs, change_snapshots, deliver_twice, strike

EPOCHS = {"epochs": 3, "patience": 1000}


@pytest.fixture(scope="module")
def runs(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Runs:
    return Runs(installation, tmp_path_factory.mktemp("runs"))


def test_the_worker_is_killed_and_the_run_ends_in_the_same_weights(runs: Runs) -> None:
    assert strike(runs, BLOWS[0], 1, EPOCHS) == []


def test_delivered_three_times_it_runs_once(runs: Runs) -> None:
    assert deliver_twice(runs, 1) == []


def test_a_snapshot_of_which_a_byte_was_changed_is_refused(runs: Runs) -> None:
    assert change_snapshots(runs, 1) == []
