"""The page Export of a test: what is wanted, as which file, and what its columns mean."""

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from listening_tests.answer_files.columns import COLUMNS
from listening_tests.choices import AuditedAction, Role, TestKind
from listening_tests.models import AuditEntry, ListeningTest
from tests.collection.answered import make_answered
from tests.collection.shell import run_command
from tests.webapp.factories import make_member

pytestmark = pytest.mark.django_db


@pytest.fixture
def test() -> ListeningTest:
    return make_answered(TestKind.RATING)


def fetch(client: Client, test: ListeningTest, **asked: str) -> bytes:
    response = client.get(reverse("dashboard:export_file", args=[test.slug]), {"file_format": "csv"} | asked)
    assert response.status_code == 200
    return response.getvalue()


def test_it_works(client: Client, test: ListeningTest, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    client.force_login(make_member(test, Role.ANALYST))
    with django_assert_max_num_queries(10):
        page = client.get(reverse("dashboard:export_page", args=[test.slug])).text
    assert "This test has 18 answers." in page
    assert all(f"<code>{column.name}</code>" in page for column in COLUMNS)

    assert fetch(client, test).count(test.slug.encode()) == 18
    assert fetch(client, test, question="order", excluded="without", file_format="jsonl").count(b"\n") == 6
    assert fetch(client, test, role="gold", since="2020-01-01", until="2020-01-02").count(b"\r\n") == 1
    assert fetch(client, test, file_format="parquet")[:4] == b"PAR1"
    told = AuditEntry.objects.filter(action=AuditedAction.EXPORTED, username="member").values_list("detail", flat=True)
    assert "As jsonl: question order, without excluded ones" in told and len(told) == 4


def test_a_day_is_taken_whole(client: Client, test: ListeningTest) -> None:
    client.force_login(make_member(test))
    day = test.ratings.first().submitted_at.date().isoformat()  # type: ignore[union-attr]
    assert fetch(client, test, since=day, until=day).count(test.slug.encode()) == 18


def test_what_cannot_be_read_comes_back(client: Client, test: ListeningTest) -> None:
    client.force_login(make_member(test))
    response = client.get(reverse("dashboard:export_file", args=[test.slug]), {"file_format": "xls", "since": "soon"})
    assert response.status_code == 422
    assert "Select a valid choice. xls is not one of the available choices." in response.text
    assert "Enter a valid date." in response.text
    assert not AuditEntry.objects.exists()


def test_an_assistant_exports_nothing(client: Client, test: ListeningTest) -> None:
    client.force_login(make_member(test, Role.ASSISTANT))
    for name in ("export_page", "export_file"):
        assert client.get(reverse(f"dashboard:{name}", args=[test.slug])).status_code == 403
    assert "export" not in client.get(reverse("dashboard:test_page", args=[test.slug])).text.lower()


def test_the_command_takes_the_same_filters(
    test: ListeningTest, tmp_path: object, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = f"{tmp_path}/answers.csv"
    words = ("export_ratings", test.slug, "--format", "csv", "--out", out)
    told = run_command(monkeypatch, capsys, *words, "--question", "quality", "--without-excluded")[1]
    n = test.ratings.filter(question__name="quality", exclusions=None).count()
    assert told == f"Wrote {n} answers of the test {test.slug} to {out}.\n"
    assert run_command(monkeypatch, capsys, *words, "--until", "2020-01-01")[1].startswith("Wrote 0 answers")
    code, _, refused = run_command(monkeypatch, capsys, *words, "--since", "soon")
    assert code == 1
    assert "'soon' is no day or time; write it as 2026-11-28 or 2026-11-28T09:30" in refused
    code, _, refused = run_command(monkeypatch, capsys, *words, "--question", "beauty")
    assert (code, refused) == (
        1,
        f"The test {test.slug} asks no question 'beauty'. Its questions are: relevance, quality, order.\n",
    )
    assert list(AuditEntry.objects.values_list("username", flat=True)) == ["", ""]
