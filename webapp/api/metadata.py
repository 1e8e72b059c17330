"""What OPTIONS tells of an address."""

from typing import Any

from rest_framework.metadata import SimpleMetadata
from rest_framework.request import Request


class WithoutFields(SimpleMetadata):
    """What it is for and which forms it takes. Its fields are the schema's to tell: REST framework would look for the
    row of a PUT where an endpoint has another way to find it.
    """

    def determine_actions(self, request: Request, view: Any) -> dict[str, Any]:
        return {}
