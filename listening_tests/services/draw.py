"""The draw of the next pair or trial: one statement that finds it, takes a place on it and makes the assignment.

One statement and not several, because every rating waits for it, and hundreds come in a second.
"""

from datetime import timedelta

from django.db.models import prefetch_related_objects
from django.utils import timezone

from listening_tests.joined_rows import JoinedRows, Value
from listening_tests.kinds import kind_of
from listening_tests.kinds.leased import PAIRS, TRIALS, LeasedRows
from listening_tests.models import Assignment, Caption, Clip, Pair, Presentation, Session, Trial

# Up to so many that could come instead are counted, for the propensity.
TIES_COUNTED = 100

# The candidate is the least rated one, ties at random: keys are drawn anew with each lease, and the lowest comes next.
# One in another rater's hands this moment is passed by.
#
# The propensity is one over the number of those that could have come instead: as little rated, and new to the rater. Up
# to TIES_COUNTED they are counted. Above that the number is estimated, since counting would grow with the test: keys
# are drawn uniformly and used up from the lowest, so those left lie evenly between the lowest and 1.
_DRAW = """
WITH candidate AS MATERIALIZED (
    SELECT leased.id, leased.load
    FROM {table} leased
    WHERE leased.test_id = %(test)s AND leased.load < %(k)s
        AND leased.role <> 'practice' AND leased.role <> 'repeat'
        -- Ratings can be imported without audio; what has none cannot be heard here.
        AND {hearable}
        AND NOT EXISTS (
            SELECT FROM listening_tests_assignment own WHERE own.rater_id = %(rater)s AND own.{column}_id = leased.id
        )
    ORDER BY leased.load, leased.shuffle_key
    LIMIT 1
    FOR NO KEY UPDATE OF leased SKIP LOCKED
), tie AS (
    SELECT leased.id, leased.shuffle_key
    FROM {table} leased
    WHERE leased.test_id = %(test)s AND leased.role <> 'practice' AND leased.role <> 'repeat'
        AND leased.load = (SELECT load FROM candidate)
    ORDER BY leased.shuffle_key
    LIMIT %(ties_counted)s
), tied AS (
    SELECT count(*)::float AS n, min(shuffle_key) AS low, max(shuffle_key) AS high FROM tie
), alike AS (
    SELECT CASE WHEN n >= %(ties_counted)s AND high > low THEN (n - 1) * (1 - low) / (high - low)
        ELSE n - (
            SELECT count(*) FROM listening_tests_assignment own JOIN tie ON tie.id = own.{column}_id
            WHERE own.rater_id = %(rater)s
        ) END AS n
    FROM tied
), taken AS (
    -- By its key and not by a join: where the row has changed since the statement began, PostgreSQL computes a join
    -- anew, and so would draw, lock and wait once more.
    UPDATE {table} leased SET load = leased.load + 1, shuffle_key = random()
    WHERE leased.id = (SELECT id FROM candidate)
    RETURNING leased.id
), assignment AS (
    INSERT INTO listening_tests_assignment
        (uuid, session_id, rater_id, {column}_id, position, propensity, leased_at, lease_expires_at)
    SELECT gen_random_uuid(), %(session)s, %(rater)s, taken.id,
        1 + coalesce((SELECT max(position) FROM listening_tests_assignment WHERE session_id = %(session)s), 0),
        1 / greatest(1, alike.n), %(now)s, %(expires)s
    FROM taken, alike
    RETURNING *
)
"""
_SHOWN_OF_PAIR = """
SELECT {columns}
FROM assignment
JOIN listening_tests_pair pair ON pair.id = assignment.pair_id
JOIN listening_tests_clip clip ON clip.id = pair.clip_id
JOIN listening_tests_caption caption ON caption.id = pair.caption_id
"""
_SHOWN_OF_TRIAL = """
SELECT {columns}
FROM assignment
JOIN listening_tests_trial trial ON trial.id = assignment.trial_id
JOIN listening_tests_caption caption ON caption.id = trial.caption_id
"""


def _draw_from(leased: LeasedRows) -> str:
    table = leased.model._meta.db_table
    return _DRAW.replace("{table}", table).replace("{column}", leased.column).replace("{hearable}", leased.hearable_sql)


_PAIR_DRAWN = JoinedRows((Assignment, Pair, Clip, Caption), _draw_from(PAIRS) + _SHOWN_OF_PAIR)
_TRIAL_DRAWN = JoinedRows((Assignment, Trial, Caption), _draw_from(TRIALS) + _SHOWN_OF_TRIAL)


def lease_draw(*, session: Session) -> Assignment | None:
    """Leases the next pair or trial to `session`; None where none is free this moment.

    Runs inside a transaction that holds the session's row.
    """
    kind = kind_of(session.test)
    now = timezone.now()
    values: dict[str, Value] = {
        "test": session.test_id,
        "k": session.test.ratings_per_pair,
        "rater": session.rater_id,
        "session": session.pk,
        "ties_counted": TIES_COUNTED,
        "now": now,
        "expires": now + timedelta(minutes=session.test.lease_minutes),
    }
    if not kind.leased.has_places:
        return next((with_pair(*row) for row in _PAIR_DRAWN.fetch(values)), None)
    for assignment, trial, caption in _TRIAL_DRAWN.fetch(values):
        trial.caption, trial.test = caption, session.test
        assignment.trial = trial
        return trial_present(assignment=assignment)
    return None


def trial_present(*, assignment: Assignment) -> Assignment:
    """Gives the pairs of a leased trial their places before this rater. Runs while the trial's row is held."""
    trial = assignment.trial
    if trial is None:
        raise ValueError("Only a trial has places.")
    pairs = trial.pairs.order_by("pk")
    ordered = kind_of(trial.test).order(trial, list(pairs))
    Presentation.objects.bulk_create(
        [Presentation(assignment=assignment, place=place, pair=pair) for place, pair in enumerate(ordered, start=1)]
    )
    prefetch_related_objects([assignment], "presentations__pair__clip")
    return assignment


def with_pair(assignment: Assignment, pair: Pair, clip: Clip, caption: Caption) -> Assignment:
    pair.clip, pair.caption = clip, caption
    assignment.pair = pair
    return assignment
