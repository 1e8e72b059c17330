"""The account that a new installation can be entered with."""

import os
import secrets
from pathlib import Path

from django.contrib.auth import get_user_model

FIRST_USERNAME = "admin"


def first_account_create(password_file: Path) -> bool:
    """Makes the first account with a password of its own, kept in `password_file` (mode 600).

    Returns False, changing nothing, where somebody can sign in already.
    """
    users = get_user_model().objects
    if users.filter(is_staff=True).exists():
        return False
    password = secrets.token_urlsafe(12)
    descriptor = os.open(password_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(password + "\n")
    users.create_superuser(username=FIRST_USERNAME, password=password)
    return True


def first_password_still_valid(password_file: Path) -> str | None:
    """The first password, where it was kept and nobody has changed it since."""
    user = get_user_model().objects.filter(username=FIRST_USERNAME).first()
    if user is None or not password_file.exists():
        return None
    password = password_file.read_text().strip()
    return password if user.check_password(password) else None
