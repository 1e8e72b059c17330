"""Who asks: the account of a token, or of a browser in which somebody has signed in."""

from typing import Any

from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from webapp.api.models import ApiToken
from webapp.api.tokens import token_find

_NOT_KNOWN = "This token is not known, or has ended or been taken back. Make another one on the page API tokens."


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer TOKEN`."""

    def authenticate(self, request: Request) -> tuple[Any, ApiToken] | None:
        words = get_authorization_header(request).split()
        if not words or words[0].lower() != b"bearer":
            return None
        if len(words) != 2:
            raise AuthenticationFailed("The header Authorization must be: Bearer TOKEN.")
        token = token_find(key=words[1].decode("latin-1"))
        if token is None or not token.user.is_active:
            raise AuthenticationFailed(_NOT_KNOWN)
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"
