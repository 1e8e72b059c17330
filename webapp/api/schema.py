"""What the OpenAPI schema says beyond the views."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "webapp.api.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        told = "A token of the page API tokens, as: Authorization: Bearer TOKEN."
        return {"type": "http", "scheme": "bearer", "description": told}
