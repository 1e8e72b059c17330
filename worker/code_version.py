"""Which code this is: what a run keeps, so that it can be repeated."""

import subprocess
import tomllib
from functools import cache
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent
_GIT = ("git", "-C", str(_ROOT), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")


@cache
def code_version() -> str:
    """The commit, with "-dirty" where files differ from it; without git or its folder, the version of the package."""
    if (_ROOT / ".git").exists():
        try:
            told = subprocess.run(_GIT, capture_output=True, text=True, timeout=10, check=True)  # noqa: S603 -- our own
            return f"commit {told.stdout.strip()}"
        except (OSError, subprocess.SubprocessError):
            pass
    with (_ROOT / "pyproject.toml").open("rb") as file:
        return f"version {tomllib.load(file)['project']['version']}"
