"""Scripts may evaluate expressions on the admin's pages alone."""

import pytest
from django.test import Client


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/admin/", "/admin/login/", "/admin/nothing/here/"])
def test_the_admin_may(client: Client, address: str) -> None:
    policy = client.get(address).headers["Content-Security-Policy"]
    assert "script-src 'self' 'unsafe-eval' 'unsafe-inline'" in policy
    assert "default-src 'self'" in policy


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/", "/dashboard/", "/t/none/", "/api/none/", "/administration/", "/none"])
def test_nobody_else_may(client: Client, address: str) -> None:
    policy = client.get(address).headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'self'" in policy
