"""Typed readers of environment variables, which refuse a bad value by the variable's name."""

import math
import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured


def read_text(name: str, default: str = "") -> str:
    return os.environ.get(name, "").strip() or default


def read_flag(name: str, default: bool) -> bool:
    """A yes or no. Raises ImproperlyConfigured for anything else."""
    value = read_text(name).lower()
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    if not value:
        return default
    raise ImproperlyConfigured(f"{name} is {value!r}. Set it to 1 or 0.")


def read_choice(name: str, choices: tuple[str, ...], default: str) -> str:
    value = read_text(name, default)
    if value not in choices:
        raise ImproperlyConfigured(f"{name} is {value!r}. Set it to one of: {', '.join(choices)}.")
    return value


def read_rate(name: str, default: str) -> str:
    """How often something may happen, such as 1200/min. Raises ImproperlyConfigured for anything else."""
    value = read_text(name, default)
    if not re.fullmatch(r"[1-9][0-9]*/(s|sec|second|m|min|minute|h|hour|d|day)", value):
        raise ImproperlyConfigured(f"{name} is {value!r}. Set it to a rate such as 1200/min.")
    return value


def read_list(name: str, default: list[str]) -> list[str]:
    value = read_text(name)
    return [part.strip() for part in value.split(",") if part.strip()] if value else default


def read_directory(name: str, default: Path) -> Path:
    return Path(read_text(name, str(default))).expanduser().resolve()


def read_database_url(name: str) -> dict[str, Any] | None:
    """Django's DATABASES entry for a postgresql:// address, or None where the variable is not set.

    Raises ImproperlyConfigured for another scheme or an address without a database name.
    """
    url = read_text(name)
    if not url:
        return None
    parts = urlsplit(url)
    database = unquote(parts.path.lstrip("/"))
    if parts.scheme not in {"postgres", "postgresql"} or not database:
        raise ImproperlyConfigured(f"{name} must look like postgresql://user:password@host:5432/database.")
    options: dict[str, Any] = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": database,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        # A socket directory cannot stand where a host name stands, so libpq's own ?host= is honoured.
        "HOST": options.pop("host", "") or parts.hostname or "",
        "PORT": str(parts.port or ""),
        "OPTIONS": options,
    }


def read_address(name: str, default: str, example: str) -> str:
    """An address with a scheme, such as a broker's. Raises ImproperlyConfigured for anything else."""
    value = read_text(name, default)
    if "://" not in value:
        raise ImproperlyConfigured(f"{name} is {value!r}. Set it to an address such as {example}.")
    return value


def read_positive(name: str, default: float) -> float:
    """A number above 0. Raises ImproperlyConfigured for anything else."""
    value = read_text(name, str(default))
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not (math.isfinite(number) and number > 0):
        raise ImproperlyConfigured(f"{name} is {value!r}. Set it to a number above 0.")
    return number


def read_port(name: str, default: int) -> int:
    """A TCP port. Raises ImproperlyConfigured for anything but a number from 1 to 65535."""
    value = read_text(name, str(default))
    if not value.isdecimal() or not 1 <= int(value) <= 65_535:
        raise ImproperlyConfigured(f"{name} is {value!r}. Set it to a number from 1 to 65535.")
    return int(value)
