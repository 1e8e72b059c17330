"""All checks, in the order in which a person would mend what they find: what comes first often explains the rest."""

from collections.abc import Callable, Iterator

from django.db import DatabaseError, InterfaceError

from webapp.doctor import database, files, queues, site, software, work
from webapp.doctor.finding import Finding, unchecked

# By the name that --json tells.
CHECKS: dict[str, Callable[[], Finding]] = {
    "python": software.python_version,
    "packages": software.packages,
    "audio": software.audio_formats,
    "torch": software.torch_and_device,
    "model": software.model_here,
    "database": database.answers,
    "migrations": database.migrations,
    "durability": database.durability,
    "clock": database.clock,
    "broker": queues.broker,
    "workers": queues.workers,
    "scorer": queues.scorer,
    "beat": queues.beat,
    "media": files.media_writable,
    "disk": files.disk_space,
    "private_files": files.private_files,
    "backup": files.last_backup,
    "secret_key": site.secret_key,
    "debug": site.debug,
    "hosts": site.hosts,
    "https": site.https,
    "site": site.answers,
    "email": site.email,
    "open_tests": work.open_tests,
    "stuck_runs": work.stuck_runs,
}


def checkup() -> Iterator[tuple[str, Finding]]:
    """Carries the checks out one by one; one that breaks is told as not checked, and the others go on."""
    for name, check in CHECKS.items():
        try:
            yield name, check()
        except (DatabaseError, InterfaceError):
            yield (
                name,
                unchecked(
                    "The database does not tell: it is away, or not of this version.",
                    "Mend what is said of the database and its migrations first.",
                ),
            )
        except Exception as error:  # noqa: BLE001 -- whatever befalls one check, the rest is worth knowing
            yield name, unchecked(f"The check itself broke: {type(error).__name__}: {error}.")
