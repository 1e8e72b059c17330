"""What must hold of a study after it was rated, whoever rated and whatever happened meanwhile."""

from collections.abc import Iterable

from benchmarks.installation import Installation

STORED = """
SELECT rating.client_uuid::text FROM listening_tests_rating rating
    JOIN listening_tests_listeningtest test ON test.id = rating.test_id WHERE test.slug = %s
"""
OVER_K = """
SELECT pair.id FROM listening_tests_pair pair JOIN listening_tests_listeningtest test ON test.id = pair.test_id
    JOIN listening_tests_rating rating ON rating.pair_id = pair.id
    WHERE test.slug = %s AND pair.role <> 'practice' GROUP BY pair.id, test.id
    HAVING count(*) FILTER (WHERE NOT rating.late) > test.ratings_per_pair
"""
TWICE = """
SELECT 1 FROM listening_tests_rating rating JOIN listening_tests_listeningtest test ON test.id = rating.test_id
    WHERE test.slug = %s GROUP BY rating.rater_id, rating.pair_id HAVING count(*) > 1
"""
LOADS = """
SELECT pair.id FROM listening_tests_pair pair JOIN listening_tests_listeningtest test ON test.id = pair.test_id
    LEFT JOIN listening_tests_assignment assignment ON assignment.pair_id = pair.id
    WHERE test.slug = %s AND pair.role <> 'practice' GROUP BY pair.id
    HAVING pair.load <> count(assignment.id)
        FILTER (WHERE assignment.rated_at IS NOT NULL OR assignment.released_at IS NULL)
"""


def broken_promises(installation: Installation, slug: str, acknowledged: Iterable[str]) -> list[str]:
    """What does not hold of the stored ratings, given the client uuids that raters were told are stored."""
    told = list(acknowledged)
    stored = {uuid for (uuid,) in installation.rows(STORED, [slug])}
    checks = {
        "an acknowledged rating is missing": stored.issuperset(told),
        "a rating is stored that nobody was told of": stored.issubset(told),
        "a rating was acknowledged to two raters": len(set(told)) == len(told),
        "a pair has more than k ratings": not installation.rows(OVER_K, [slug]),
        "a rater has rated a pair twice": not installation.rows(TWICE, [slug]),
        "a pair's load is not its ratings and open leases": not installation.rows(LOADS, [slug]),
    }
    return [sentence for sentence, holds in checks.items() if not holds]
