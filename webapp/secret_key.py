"""The signing key of an installation: made once, kept in a file that only its owner can read."""

import os
import secrets
from pathlib import Path


def secret_key_read_or_create(path: Path) -> str:
    """Returns the key in `path`, making the file (mode 600) where there is none.

    Written to a private file first and linked into place, so that of two processes that start together one wins
    and both read the whole key.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            stream.write(secrets.token_urlsafe(50))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text()
