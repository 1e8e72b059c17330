"""Ratings, snapshot, run, checkpoint: each a link from the model's page, and files handed out to who may export."""

import json
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from listening_tests.choices import AuditedAction, Role
from listening_tests.models import AuditEntry, ListeningTest
from tests.factories import make_test
from tests.webapp.factories import make_done_run, make_member
from tests.worker.studies import make_study
from worker.models import DatasetSnapshot, ModelVersion
from worker.snapshots import snapshot_create

pytestmark = pytest.mark.django_db


def make_model(test: ListeningTest, snapshot: DatasetSnapshot) -> ModelVersion:
    version = ModelVersion.objects.get(run=make_done_run(test, snapshot=snapshot, question="relevance"))
    version.directory, version.size_bytes = f"runs/{version.run.uuid}/model", 9
    version.save()
    place = Path(settings.MEDIA_ROOT) / version.directory
    (place / "more").mkdir(parents=True)
    (place / "model.safetensors").write_bytes(b"weights")
    (place / "more" / "card.md").write_bytes(b"ca")
    return version


def url_of(name: str, test: ListeningTest, row: ModelVersion | DatasetSnapshot, *more: str) -> str:
    return reverse(f"dashboard:{name}", args=[test.slug, row.uuid, *more])


def read(client: Client, url: str) -> bytes:
    response = client.get(url)
    assert response.headers["Content-Disposition"].startswith("attachment")
    return b"".join(response.streaming_content)


def test_it_works(staff: Client) -> None:
    test = make_study(n_heldout=3, n_train=2)
    snapshot = snapshot_create(test=test)
    version = make_model(test, snapshot)

    text = staff.get(url_of("model_page", test, version)).text

    assert "15 ratings" in text and "2 files" in text and "held-out pairs version 1" in text
    steps = [
        url_of("snapshot_file", test, snapshot, "ratings.jsonl"),
        url_of("snapshot_page", test, snapshot),
        reverse("dashboard:run_page", args=[version.run.uuid]),
        url_of("model_file", test, version, "model.safetensors"),
        url_of("model_file", test, version, "more/card.md"),
    ]
    assert [step for step in steps if f'href="{step}"' not in text] == []
    assert len(read(staff, steps[0]).splitlines()) == 15
    assert (read(staff, steps[3]), read(staff, steps[4])) == (b"weights", b"ca")
    entries = AuditEntry.objects.filter(test=test, action=AuditedAction.EXPORTED).values_list("detail", flat=True)
    assert sorted(entries) == [
        f"{version}: model.safetensors",
        f"{version}: more/card.md",
        f"Snapshot {snapshot.sha256[:12]}: ratings.jsonl",
    ]
    assert (
        f'href="{url_of("model_page", test, version)}"'
        in staff.get(reverse("dashboard:models_page", args=[test.slug])).text
    )
    assert f'href="{steps[1]}"' in staff.get(steps[2]).text


def test_a_snapshot_names_its_runs_and_models(staff: Client) -> None:
    test = make_study(n_heldout=3, n_train=2)
    snapshot = snapshot_create(test=test)
    version = make_model(test, snapshot)

    text = staff.get(url_of("snapshot_page", test, snapshot)).text

    assert snapshot.sha256 in text and "version 1: 3 pairs of 3 captions" in text
    assert f'href="{url_of("model_page", test, version)}"' in text
    manifest = json.loads(read(staff, url_of("snapshot_file", test, snapshot, "manifest.json")))
    assert manifest["counts"]["n_ratings"] == 15


def test_only_what_is_listed_is_handed_out(staff: Client) -> None:
    test = make_study(n_heldout=3, n_train=2)
    snapshot = snapshot_create(test=test)
    version = make_model(test, snapshot)
    secret = Path(settings.MEDIA_ROOT) / "runs" / str(version.run.uuid) / "secret"
    secret.write_text("not for you")
    (Path(settings.MEDIA_ROOT) / version.directory / "link").symlink_to(secret)
    base = url_of("model_page", test, version)
    for name in ("../secret", "%2e%2e/secret", "link", "more"):
        assert staff.get(f"{base}files/{name}").status_code == 404
    assert staff.get(url_of("snapshot_file", test, snapshot, "audio")).status_code == 404
    assert not AuditEntry.objects.filter(action=AuditedAction.EXPORTED).exists()


def test_cleared_files_are_said_to_be_gone(staff: Client) -> None:
    test = make_test()
    version = ModelVersion.objects.get(run=make_done_run(test))
    ModelVersion.objects.update(files_removed_at="2026-02-03T00:00Z")
    assert "Files cleared away 2026-02-03." in staff.get(url_of("model_page", test, version)).text


def test_who_may_not_export_sees_names_alone(client: Client) -> None:
    test = make_study(n_heldout=3, n_train=2)
    snapshot = snapshot_create(test=test)
    version = make_model(test, snapshot)
    client.force_login(make_member(test, Role.ASSISTANT))
    assert "model.safetensors" in client.get(url_of("model_page", test, version)).text
    assert client.get(url_of("model_file", test, version, "model.safetensors")).status_code == 403
    assert client.get(url_of("snapshot_file", test, snapshot, "ratings.jsonl")).status_code == 403
    client.force_login(make_member(make_test(), username="stranger"))
    for name, row in (("model_page", version), ("snapshot_page", snapshot)):
        assert client.get(url_of(name, test, row)).status_code == 404


def test_the_number_of_runs_does_not_change_the_number_of_queries(
    staff: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    test = make_study(n_heldout=3, n_train=2)
    snapshot = snapshot_create(test=test)
    for n_runs in (1, 3):
        for _ in range(n_runs):
            make_model(test, snapshot)
        # Session and user; the test; the snapshot, its runs, their models.
        with django_assert_num_queries(6):
            staff.get(url_of("snapshot_page", test, snapshot))
