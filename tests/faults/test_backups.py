"""A back-up that is made while raters rate: what had been acknowledged is in it, and nothing that nobody gave."""

import tempfile
from pathlib import Path

from benchmarks.installation import Installation
from benchmarks.outbox_rater import Crowd

RATERS, PAIRS_EACH = 8, 10
RATINGS = RATERS * PAIRS_EACH
ALL_RATINGS = "from listening_tests.models import Rating; print(*Rating.objects.values_list('client_uuid', flat=True))"


def test_it_works(installation: Installation) -> None:
    installation.make_test("backed-up", pairs=RATINGS // 2, duration_s=0.2, pairs_per_session=PAIRS_EACH)
    with tempfile.TemporaryDirectory(prefix="emb-") as folder:
        # Open to be traversed, since PostgreSQL runs as a user of its own.
        Path(folder).chmod(0o755)
        crowd = Crowd(installation, "backed-up", size=RATERS)
        crowd.wait_for(RATINGS // 4)
        before = {uuid for rater in crowd.raters for uuid in rater.acknowledged}
        installation.manage("backup", f"{folder}/backup")
        crowd.wait_to_the_end()
        assert crowd.broken_promises() == []

        other = Installation(Path(folder) / "home")
        assert other.manage("restore", f"{folder}/backup").startswith("Restored what was backed up at ")
        restored = set(other.manage("shell", "--no-imports", "-c", ALL_RATINGS).split())
        assert before <= restored
        here = installation.rows("SELECT client_uuid FROM listening_tests_rating")
        assert restored <= {str(uuid) for (uuid,) in here}
        for name in ("clips", "renditions"):
            assert files(installation.home / "media" / name) == files(other.home / "media" / name)


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
