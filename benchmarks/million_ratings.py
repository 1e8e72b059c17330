"""What grows with ratings, at 10,000 and at 1,000,000 of them: lease, rating, pages of staff, study report, export.

Prints milliseconds and, for the lease, the ratio of the two sizes measured in the same run.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import django

django.setup()

from django.contrib.auth import get_user_model  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client, override_settings  # noqa: E402

from listening_tests.models import ListeningTest, Pair, Question, Rating  # noqa: E402
from listening_tests.selectors import assignments_open  # noqa: E402
from listening_tests.services.exports import FORMATS  # noqa: E402
from listening_tests.services.ratings import Answer, rating_submit  # noqa: E402
from listening_tests.services.sessions import session_start  # noqa: E402

RATINGS_PER_PAIR = 10
PAIRS_PER_RATER = 20

# Rows straight into the tables, as they would lie there after the study: a million through the services takes hours.
FILL = """
INSERT INTO listening_tests_caption (uuid, text, language, text_sha256)
    SELECT gen_random_uuid(), %(slug)s || ' caption ' || i, 'en', encode(sha256((%(slug)s || i)::bytea), 'hex')
    FROM generate_series(0, %(pairs)s - 1) i;
INSERT INTO listening_tests_clip
    (uuid, sha256, name, original, rendition, duration_s, sample_rate_hz, channels, is_silent, created_at)
    SELECT gen_random_uuid(), encode(sha256((%(slug)s || ' clip ' || i)::bytea), 'hex'), 'clip', 'a', 'a', 1, 48000, 1,
        false, now()
    FROM generate_series(0, %(pairs)s - 1) i;
INSERT INTO listening_tests_pair (uuid, test_id, clip_id, caption_id, role, system, source_id, load, shuffle_key)
    SELECT gen_random_uuid(), %(test)s, clip.id, caption.id, 'study', 'system ' || (i %% 4), '', %(k)s, random()
    FROM generate_series(0, %(pairs)s - 1) i
    JOIN listening_tests_clip clip ON clip.sha256 = encode(sha256((%(slug)s || ' clip ' || i)::bytea), 'hex')
    JOIN listening_tests_caption caption ON caption.text_sha256 = encode(sha256((%(slug)s || i)::bytea), 'hex');
INSERT INTO listening_tests_rater (uuid, source, created_at)
    SELECT gen_random_uuid(), 'simulated', now() FROM generate_series(1, %(raters)s);
INSERT INTO listening_tests_consent (rater_id, test_id, version, withdrawn_ratings, given_at)
    SELECT id, %(test)s, 1, 'delete', now() FROM listening_tests_rater ORDER BY id DESC LIMIT %(raters)s;
INSERT INTO listening_tests_session
    (uuid, test_id, rater_id, consent_id, status, planned_count, saved_count, timed_count, needed_s, elapsed_s,
     pair_estimate_s, needs_check, check_attempts, headphone_check, headphones, headphone_attempts, left_right,
     sound_set_up_at, questionnaire_at, started_at, finished_at)
    SELECT gen_random_uuid(), %(test)s, rater_id, id, 'complete', %(each)s, %(each)s, %(each)s, %(each)s,
        10 * %(each)s, 10, false, 0, 'none', 'unchecked', 0, 'unchecked', now(), now(), now(), now()
    FROM listening_tests_consent WHERE test_id = %(test)s;
INSERT INTO listening_tests_assignment
    (uuid, session_id, rater_id, pair_id, position, propensity, leased_at, lease_expires_at, rated_at)
    SELECT gen_random_uuid(), s.id, s.rater_id, p.id, j + 1, 0.5, now(), now(), now()
    FROM (SELECT id, rater_id, row_number() OVER (ORDER BY id) - 1 AS n FROM listening_tests_session
        WHERE test_id = %(test)s) s
    CROSS JOIN generate_series(0, %(each)s - 1) j
    JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS n FROM listening_tests_pair WHERE test_id = %(test)s) p
        ON p.n = (s.n * %(each)s + j) %% %(pairs)s;
INSERT INTO listening_tests_rating
    (uuid, client_uuid, test_id, pair_id, rater_id, question_id, assignment_id, source, score, scale_min, scale_max,
     scale_step, plays, heard_s, shown_at, submitted_at, late, too_soon)
    SELECT gen_random_uuid(), gen_random_uuid(), %(test)s, a.pair_id, a.rater_id, %(question)s, a.id, 'simulated',
        least(10, greatest(0, round(5 + 2 * sin(a.pair_id) + 5 * (random() - .5)))), 0, 10, 1, 1, 1, now(),
        now() - random() * interval '30 days', false, false
    FROM listening_tests_assignment a JOIN listening_tests_session s ON s.id = a.session_id
    WHERE s.test_id = %(test)s;
"""


def build(slug: str, n_ratings: int) -> ListeningTest:
    """A test with `n_ratings` over a tenth as many pairs, every pair with room for one more rating."""
    test = ListeningTest.objects.create(
        slug=slug, title=slug, status="open", ratings_per_pair=RATINGS_PER_PAIR + 1, pairs_per_session=500
    )
    question = Question.objects.create(test=test)
    values = {
        "slug": slug,
        "test": test.pk,
        "question": question.pk,
        "pairs": n_ratings // RATINGS_PER_PAIR,
        "k": RATINGS_PER_PAIR,
        "each": PAIRS_PER_RATER,
        "raters": n_ratings // PAIRS_PER_RATER,
    }
    with connection.cursor() as cursor:
        for statement in FILL.split(";\n")[:-1]:
            cursor.execute(statement, values)
        cursor.execute("VACUUM ANALYZE")
    assert Rating.objects.filter(test=test).count() == n_ratings, "The filling is wrong."  # noqa: S101
    return test


def milliseconds(work: Callable[[], object], times: int) -> list[float]:
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        taken.append(1000 * (time.perf_counter() - start))
    return sorted(taken)


def report(what: str, taken: list[float]) -> float:
    median, p99 = statistics.median(taken), taken[int(0.99 * (len(taken) - 1))]
    sys.stdout.write(f"{what:<44} median {median:9.1f} ms   p99 {p99:9.1f} ms   n {len(taken)}\n")
    return p99


def measure_rating(test: ListeningTest) -> float:
    """A rating stored and the leases topped up: what the answer to a rater's click waits for."""
    session = session_start(test=test, rater_uuid=uuid4())
    leases = assignments_open(session=session)

    def rate() -> None:
        answer = Answer.of_score(client_uuid=uuid4(), score=5, plays=1, heard_s=1, elapsed_s=0)
        receipt = rating_submit(session=session, assignment_uuid=leases[0].uuid, answer=answer)
        leases[:] = receipt.leases

    return report(f"rating + next pair, {test.slug}", milliseconds(rate, 200))


def measure_pages(test: ListeningTest) -> None:
    client = Client()
    client.force_login(get_user_model().objects.get_or_create(username="a", is_staff=True, is_superuser=True)[0])
    pages = {
        "dashboard: tests": "/dashboard/",
        "dashboard: test": f"/dashboard/tests/{test.slug}/",
        "dashboard: live": f"/dashboard/tests/{test.slug}/live/part/",
        "dashboard: raters": f"/dashboard/tests/{test.slug}/raters/?sort=-agreement",
        "dashboard: pairs": f"/dashboard/tests/{test.slug}/pairs/?sort=-mean",
        "admin: ratings": "/admin/listening_tests/rating/",
        "admin: pairs": "/admin/listening_tests/pair/",
    }
    for name, address in pages.items():
        status = client.get(address).status_code
        if status != 200:
            sys.stdout.write(f"{name:<44} answered {status}\n")
            continue
        report(f"{name}, {test.slug}", milliseconds(lambda address=address: client.get(address), 5))


def measure_report(test: ListeningTest) -> None:
    start = time.perf_counter()
    command = [sys.executable, "manage.py", "study_report", test.slug, "--json"]
    found = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 -- our own words
    sys.stdout.write(f"{'study_report, ' + test.slug:<44} {time.perf_counter() - start:.1f} s, with start-up\n")
    sys.stdout.write(f"  icc1 {json.loads(found.stdout)['icc1']:.3f}\n")


# A process of its own, so that what it needs at most is the export's.
EXPORT = """
import sys, time
from django.core.management import execute_from_command_line
start = time.perf_counter()
execute_from_command_line(["manage.py", "export_ratings", sys.argv[1], "--format", sys.argv[2], "--out", sys.argv[3]])
# Not getrusage, which begins with what the parent held.
peak_kb = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
peak_mb = int(peak_kb) / 1024
print(time.perf_counter() - start, peak_mb)
"""


def measure_exports(test: ListeningTest) -> None:
    """Seconds with start-up, the most memory that the process held, and the size of the file, for each format."""
    with tempfile.TemporaryDirectory(prefix="earmark-export-") as folder:
        for file_format in FORMATS:
            path = Path(folder) / f"answers.{file_format}"
            command = [sys.executable, "-c", EXPORT, test.slug, file_format, str(path)]
            found = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 -- our own words
            seconds, peak_mb = map(float, found.stdout.split()[-2:])
            what = f"export as {file_format}, {test.slug}"
            size_mb = path.stat().st_size / 1024**2
            sys.stdout.write(f"{what:<44} {seconds:.1f} s   at most {peak_mb:.0f} MB of memory   {size_mb:.0f} MB\n")
            path.unlink()


def main() -> None:
    call_command("migrate", verbosity=0)
    small, large = build("ten-thousand", 10_000), build("million", 1_000_000)
    sys.stdout.write(f"{Rating.objects.count():,} ratings, {Pair.objects.count():,} pairs\n")
    ratio = measure_rating(large) / measure_rating(small)
    sys.stdout.write(f"rating + next pair, p99: 1,000,000 ratings / 10,000 ratings = {ratio:.2f}\n")
    with override_settings(ALLOWED_HOSTS=["testserver"]):
        call_command("collectstatic", interactive=False, verbosity=0)
        measure_pages(large)
    measure_report(large)
    for test in (small, large):
        measure_exports(test)


if __name__ == "__main__":
    main()
