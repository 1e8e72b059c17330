"""What people read where there is no page, where they may not see it, and where Earmark itself fails."""

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path
from pytest_django.asserts import assertContains, assertTemplateUsed


def fails(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("a detail that is nobody's business")


urlpatterns = [path("fails/", fails), path("", include("webapp.urls"))]


def test_it_works(client: Client) -> None:
    response = client.get("/nowhere/")

    assertContains(response, "There is no page here", status_code=404)
    assertContains(response, "write to the people who invited you.", status_code=404)
    assertContains(response, 'href="/dashboard/"', status_code=404)
    assertTemplateUsed(response, "rater/frame.html")


def test_a_missing_test_of_the_dashboard_is_said_so(staff: Client) -> None:
    assertContains(staff.get("/dashboard/tests/nowhere/"), "There is no page here", status_code=404)


@pytest.mark.django_db
def test_who_may_not_see_a_page_reads_whom_to_ask(client: Client) -> None:
    client.force_login(get_user_model().objects.create_user("rater", password="correct horse"))

    response = client.get("/dashboard/runs/")

    assertContains(response, "Your account, rater, does not have the permission", status_code=403)
    assertContains(response, 'href="/admin/login/?next=/dashboard/runs/"', status_code=403)


def test_staff_without_a_permission_find_back(staff: Client) -> None:
    User.objects.update(is_superuser=False)
    response = staff.get("/admin/auth/user/")

    assertContains(response, "Your account, researcher, does not have the permission", status_code=403)
    assertContains(response, 'href="/dashboard/"', status_code=403)


@pytest.mark.urls(__name__)
def test_a_fault_of_ours_is_told_without_the_database_and_without_its_details(client: Client) -> None:
    """Without the mark that opens it, every use of the database fails this test."""
    client.raise_request_exception = False

    response = client.get("/fails/")

    assertContains(response, "Something failed on our side", status_code=500)
    assertContains(response, "Wait a minute and reload the page.", status_code=500)
    assert "nobody" not in response.text
