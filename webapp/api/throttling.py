"""How often one token may ask: generous for scripts, too little for a runaway loop."""

from typing import TYPE_CHECKING

from rest_framework.request import Request
from rest_framework.throttling import UserRateThrottle

from webapp.api.models import ApiToken

if TYPE_CHECKING:
    from rest_framework.views import APIView


class TokenThrottle(UserRateThrottle):
    """Counts a token by itself, what comes from a signed-in browser by the account, and who is unknown by the address,
    which is kept in memory for a minute.
    """

    scope = "token"

    def get_cache_key(self, request: Request, view: "APIView") -> str:
        token = request.auth
        who = f"token-{token.pk}" if isinstance(token, ApiToken) else f"account-{request.user.pk}"
        if not request.user.is_authenticated:
            who = f"address-{self.get_ident(request)}"
        return f"api-throttle-{who}"
