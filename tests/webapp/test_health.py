"""The address by which a proxy and a monitor know whether the web server is well."""

import pytest
from django.db import OperationalError
from django.test import Client
from pytest_django import Settings


@pytest.mark.django_db
def test_it_works(client: Client) -> None:
    answer = client.get("/health/")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok"}
    assert "no-store" in answer["Cache-Control"]


def test_a_database_that_is_away(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr("webapp.health.connection.cursor", away)
    answer = client.get("/health/")
    assert answer.status_code == 503
    assert answer.json() == {"status": "failed", "detail": "The database does not answer."}


@pytest.mark.django_db
def test_through_the_proxy_of_a_hardened_site(client: Client, settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.ALLOWED_HOSTS = ["listen.example.org"]
    proxied = client.get("/health/", headers={"Host": "listen.example.org", "X-Forwarded-Proto": "https"})
    assert proxied.status_code == 200
    assert client.get("/health/", headers={"Host": "listen.example.org"}).status_code == 301
    assert client.get("/health/", headers={"X-Forwarded-Proto": "https"}).status_code == 400


@pytest.mark.django_db
def test_it_changes_nothing_by_post(client: Client) -> None:
    assert client.post("/health/").status_code == 405
