"""Tokens of the API: made, found and taken back."""

import hashlib
import secrets
from datetime import datetime, timedelta
from uuid import UUID

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import User
from django.db.models import Q
from django.utils import timezone

from listening_tests.compiled_reads import CompiledRead, columns_of, row_of
from listening_tests.exceptions import Refused
from webapp.api.models import ApiToken

MOST_TOKENS = 20
LONGEST_NAME = 60
# Known to those who search repositories for keys that slipped in.
_PREFIX = "earmark_"
_USED_ANEW_AFTER = timedelta(minutes=1)
_HELD = CompiledRead(
    lambda digest, now: ApiToken.objects.filter(
        Q(expires_at__isnull=True) | Q(expires_at__gt=now), digest=digest
    ).values_list(*columns_of(ApiToken), *columns_of(User, "user__")),
    digest=str,
    now=datetime,
)


def token_create(*, user: AbstractBaseUser, name: str, days: int | None = None) -> tuple[ApiToken, str]:
    """A token of the account, and its key, which nobody is told again. It ends after so many days, or never.

    Raises Refused for a missing or too long name, and for more than MOST_TOKENS.
    """
    name = name.strip()
    if not name or len(name) > LONGEST_NAME:
        raise Refused(f"Say in 1 to {LONGEST_NAME} letters what the token is for, so that you know it again.")
    if ApiToken.objects.filter(user_id=user.pk).count() >= MOST_TOKENS:
        raise Refused(f"You have {MOST_TOKENS} tokens, which is the most. Take back one that you do not need.")
    if ApiToken.objects.filter(user_id=user.pk, name=name).exists():
        raise Refused(f"You have a token of the name {name} already. Take it back first, or choose another name.")
    key = _PREFIX + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        user_id=user.pk,
        name=name,
        digest=_digest(key),
        beginning=key[:14],
        expires_at=timezone.now() + timedelta(days=days) if days else None,
    )
    return token, key


def token_revoke(*, user: AbstractBaseUser, uuid: UUID) -> bool:
    """Takes a token of the account back; False where there is none such."""
    return ApiToken.objects.filter(user_id=user.pk, uuid=uuid).delete()[0] > 0


def token_find(*, key: str) -> ApiToken | None:
    """The token of a key that still holds, with its account; when it was used is noted, to the minute."""
    now = timezone.now()
    found = _HELD.first(digest=_digest(key), now=now)
    if found is None:
        return None
    n_columns = len(columns_of(ApiToken))
    token = row_of(ApiToken, found[:n_columns])
    token.user = row_of(User, found[n_columns:])
    if token.last_used_at is None or token.last_used_at < now - _USED_ANEW_AFTER:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    return token


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
