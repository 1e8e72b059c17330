"""The draw of the next pair: one statement that finds it, takes a place on it and makes the assignment.

One statement and not several, because every rating waits for it, and hundreds come in a second.
"""

from datetime import timedelta

from django.utils import timezone

from listening_tests.joined_rows import JoinedRows, Value
from listening_tests.models import Assignment, Caption, Clip, Pair, Session

# Up to so many pairs that could come instead are counted, for the propensity.
TIES_COUNTED = 100

# The candidate is the least rated pair, ties at random: keys are drawn anew with each lease, and the lowest comes next.
# A pair in another rater's hands this moment is passed by.
#
# The propensity is one over the number of pairs that could have come instead: as little rated, and new to the rater. Up
# to TIES_COUNTED they are counted. Above that the number is estimated, since counting would grow with the test: keys
# are drawn uniformly and used up from the lowest, so those left lie evenly between the lowest and 1.
_DRAW = """
WITH candidate AS MATERIALIZED (
    SELECT pair.id, pair.load
    FROM listening_tests_pair pair
    JOIN listening_tests_clip clip ON clip.id = pair.clip_id
    WHERE pair.test_id = %(test)s AND pair.load < %(k)s AND pair.role <> 'practice'
        -- Ratings can be imported without audio; such a pair cannot be heard here.
        AND clip.rendition <> ''
        AND NOT EXISTS (
            SELECT FROM listening_tests_assignment own WHERE own.rater_id = %(rater)s AND own.pair_id = pair.id
        )
    ORDER BY pair.load, pair.shuffle_key
    LIMIT 1
    FOR NO KEY UPDATE OF pair SKIP LOCKED
), tie AS (
    SELECT pair.id, pair.shuffle_key
    FROM listening_tests_pair pair
    WHERE pair.test_id = %(test)s AND pair.role <> 'practice' AND pair.load = (SELECT load FROM candidate)
    ORDER BY pair.shuffle_key
    LIMIT %(ties_counted)s
), tied AS (
    SELECT count(*)::float AS n, min(shuffle_key) AS low, max(shuffle_key) AS high FROM tie
), alike AS (
    SELECT CASE WHEN n >= %(ties_counted)s AND high > low THEN (n - 1) * (1 - low) / (high - low)
        ELSE n - (
            SELECT count(*) FROM listening_tests_assignment own JOIN tie ON tie.id = own.pair_id
            WHERE own.rater_id = %(rater)s
        ) END AS n
    FROM tied
), taken AS (
    -- By its key and not by a join: where the row has changed since the statement began, PostgreSQL computes a join
    -- anew, and so would draw, lock and wait once more.
    UPDATE listening_tests_pair pair SET load = pair.load + 1, shuffle_key = random()
    WHERE pair.id = (SELECT id FROM candidate)
    RETURNING pair.id
), assignment AS (
    INSERT INTO listening_tests_assignment
        (uuid, session_id, rater_id, pair_id, position, propensity, leased_at, lease_expires_at)
    SELECT gen_random_uuid(), %(session)s, %(rater)s, taken.id,
        1 + coalesce((SELECT max(position) FROM listening_tests_assignment WHERE session_id = %(session)s), 0),
        1 / greatest(1, alike.n), %(now)s, %(expires)s
    FROM taken, alike
    RETURNING *
)
SELECT {columns}
FROM assignment
JOIN listening_tests_pair pair ON pair.id = assignment.pair_id
JOIN listening_tests_clip clip ON clip.id = pair.clip_id
JOIN listening_tests_caption caption ON caption.id = pair.caption_id
"""


_DRAWN = JoinedRows((Assignment, Pair, Clip, Caption), _DRAW)


def pair_draw(*, session: Session) -> Assignment | None:
    """Leases the next pair to `session`; None where none is free this moment.

    Runs inside a transaction that holds the session's row.
    """
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
    rows = _DRAWN.fetch(values)
    return with_pair(*rows[0]) if rows else None


def with_pair(assignment: Assignment, pair: Pair, clip: Clip, caption: Caption) -> Assignment:
    pair.clip, pair.caption = clip, caption
    assignment.pair = pair
    return assignment
