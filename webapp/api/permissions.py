"""Who may use the API at all. It loads none of REST framework's views, which load it."""

from typing import TYPE_CHECKING

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

if TYPE_CHECKING:
    from rest_framework.views import APIView


class IsStaff(BasePermission):
    """Accounts of staff. What each may do with a test is asked of its role, where the test is found."""

    message = "This account is no staff, so it cannot use the API. Whoever looks after the accounts can make it staff."

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return bool(request.user and request.user.is_authenticated and request.user.is_staff)
