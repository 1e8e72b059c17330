"""SIGKILL in the middle of raters at once: what was acknowledged is there, what was given arrives, nothing is twice."""

from benchmarks.installation import Installation
from benchmarks.outbox_rater import Crowd

RATERS = 8
PAIRS_EACH = 10
RATINGS = RATERS * PAIRS_EACH


def begin(installation: Installation, slug: str) -> Crowd:
    installation.make_test(slug, pairs=RATINGS // 2, duration_s=0.2, pairs_per_session=PAIRS_EACH)
    return Crowd(installation, slug, size=RATERS)


def assert_all_is_kept(crowd: Crowd) -> None:
    crowd.wait_to_the_end()
    assert crowd.broken_promises() == []
    assert crowd.acknowledged == RATINGS


def test_the_web_server_is_killed(installation: Installation) -> None:
    crowd = begin(installation, "web-killed")
    crowd.wait_for(RATINGS // 3)
    installation.kill_web()
    assert_all_is_kept(crowd)


def test_postgresql_is_killed(installation: Installation) -> None:
    crowd = begin(installation, "database-killed")
    crowd.wait_for(RATINGS // 3)
    installation.kill_database()
    crowd.wait_for(2 * RATINGS // 3)
    installation.kill_database()
    crowd.wait_to_the_end()
    # Nobody is left who would ask for the database again.
    installation.kill_database()
    assert_all_is_kept(crowd)


def test_everything_is_killed_and_started_again(installation: Installation) -> None:
    crowd = begin(installation, "all-killed")
    crowd.wait_for(RATINGS // 2)
    installation.kill_everything()
    installation.give_number_of_database_away()
    installation.start()
    assert_all_is_kept(crowd)
