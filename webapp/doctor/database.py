"""The database: whether it answers, is of this version, keeps what it has acknowledged, and has the same time."""

import time

from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from webapp.doctor.finding import Finding, failed, passed

OLDEST_MAJOR = 14
MOST_SKEW_S = 2.0
# What must be on for an acknowledged rating to survive a power cut.
_KEEPING = ("fsync", "synchronous_commit", "full_page_writes")


def answers() -> Finding:
    try:
        connection.ensure_connection()
    except Exception as error:  # noqa: BLE001 -- whatever keeps it away is the finding
        reason = str(error).strip().splitlines()[0].rstrip(".")
        return failed(f"The database does not answer: {reason}.", "Check DATABASE_URL, and that PostgreSQL runs.")
    number = int(connection.connection.info.server_version)
    told = f"{number // 10_000}.{number % 10_000}"
    if number // 10_000 < OLDEST_MAJOR:
        return failed(f"PostgreSQL {told} is too old.", f"Move to PostgreSQL {OLDEST_MAJOR} or newer.")
    return passed(f"PostgreSQL {told} answers.")


def migrations() -> Finding:
    executor = MigrationExecutor(connection)
    missing = [migration for migration, _ in executor.migration_plan(executor.loader.graph.leaf_nodes())]
    known = set(executor.loader.disk_migrations)
    # Of packages that are not Earmark's own, the past may be told otherwise by a newer version.
    newer = sorted(
        f"{app}.{name}"
        for app, name in executor.loader.applied_migrations
        if app in executor.loader.migrated_apps and (app, name) not in known
    )
    if newer:
        return failed(
            f"The database is of a newer Earmark: it has been through {newer[0]}.",
            "Start the newer version again, or restore the back-up from before the upgrade.",
        )
    if missing:
        return failed(f"{len(missing)} migrations have not been applied, {missing[0]} first.", "Run manage.py prepare.")
    return passed("The database is of this Earmark's version.")


def durability() -> Finding:
    off = []
    with connection.cursor() as cursor:
        for name in _KEEPING:
            cursor.execute(f"SHOW {name}")
            if cursor.fetchone()[0] == "off":
                off.append(name)
    if off:
        return failed(
            f"PostgreSQL may lose ratings that were acknowledged: {', '.join(off)} is off.",
            f"Set {' and '.join(f'{name} = on' for name in off)} in postgresql.conf, and reload.",
        )
    return passed("PostgreSQL keeps what it has acknowledged, also in a power cut.")


def clock() -> Finding:
    before = time.time()
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())")
        theirs = float(cursor.fetchone()[0])
    skew_s = theirs - (before + time.time()) / 2
    if abs(skew_s) > MOST_SKEW_S:
        return failed(
            f"The clocks of this machine and of the database differ by {abs(skew_s):.1f} s: leases end early or late.",
            "Let both keep time by NTP (Debian: apt-get install systemd-timesyncd).",
        )
    return passed("The clocks of this machine and of the database agree.")
