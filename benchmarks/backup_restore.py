"""Back-up and restore of 1,000,000 ratings and a gigabyte of files: seconds, sizes, and every row and file compared.

`python -m benchmarks.backup_restore N` takes N ratings. Fails where anything is not as it was.
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.million_ratings import build  # isort: skip -- it sets Django up

from django.conf import settings
from django.core.management import call_command
from django.db import connection

FILES, FILE_BYTES = 2_000, 500_000
# The order of rows is left aside: sixty bits of each row's hash are added up.
DIGEST = "SELECT count(*), sum(('x' || substr(md5(t::text), 1, 15))::bit(60)::bigint::numeric)::text FROM {} t"
# In the restored home, a process of its own.
ASK = "import json; from benchmarks.backup_restore import digests; print(json.dumps(digests()))"


def digests() -> dict[str, list[object]]:
    """Of each table the number of its rows and a sum of their hashes; of the files below media, of all in one."""
    found: dict[str, list[object]] = {}
    with connection.cursor() as cursor:
        for name in sorted(connection.introspection.table_names(cursor)):
            cursor.execute(DIGEST.format(connection.ops.quote_name(name)))
            found[name] = list(cursor.fetchone())
    files = hashlib.sha256()
    paths = sorted(path for path in Path(settings.MEDIA_ROOT).rglob("[!.]*") if path.is_file())
    for path in paths:
        files.update(f"{path.relative_to(settings.MEDIA_ROOT)} ".encode())
        files.update(hashlib.sha256(path.read_bytes()).digest())
    return found | {"files": [len(paths), files.hexdigest()]}


def write_files() -> None:
    for number in range(FILES):
        path = Path(settings.MEDIA_ROOT) / "clips" / f"{number % 256:02x}" / f"{number}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.urandom(FILE_BYTES))


def manage(home: Path, *words: str) -> float:
    """How many seconds the command took, with its start."""
    started = time.perf_counter()
    environment = os.environ | {"EARMARK_HOME": str(home)}
    subprocess.run([sys.executable, "manage.py", *words], env=environment, check=True)  # noqa: S603 -- our own words
    return time.perf_counter() - started


def main(n_ratings: int) -> int:
    call_command("migrate", verbosity=0)
    build("backed-up", n_ratings)
    write_files()
    before = digests()
    with tempfile.TemporaryDirectory(prefix="emb-", dir=settings.EARMARK_HOME.parent) as folder:
        # Open to be traversed, since PostgreSQL runs as a user of its own.
        Path(folder).chmod(0o755)
        backup, home = Path(folder) / "backup", Path(folder) / "home"
        taken_s = manage(settings.EARMARK_HOME, "backup", str(backup))
        size_mb = (backup / "database.dump").stat().st_size / 1024**2
        sys.stdout.write(
            f"backup of {n_ratings:,} ratings and {FILES * FILE_BYTES / 1024**2:,.0f} MB of files: {taken_s:.1f} s, "
            f"the dump is {size_mb:,.0f} MB\n"
        )
        sys.stdout.write(f"restore: {manage(home, 'restore', str(backup)):.1f} s\n")
        asked = subprocess.run(  # noqa: S603 -- our own words
            [sys.executable, "-c", ASK],
            env=os.environ | {"EARMARK_HOME": str(home)},
            capture_output=True,
            text=True,
            check=True,
        )
        after = json.loads(asked.stdout.splitlines()[-1])
    other = [name for name in before.keys() | after.keys() if before.get(name) != after.get(name)]
    sys.stdout.write(f"{len(before)} tables and all files compared: {len(other)} differ {sorted(other) or ''}\n")
    return 1 if other else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000))
