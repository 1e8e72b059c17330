"""Clips come into a test in a real browser: a bad row, its mending, the progress, the clips with their pictures."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from listening_tests.choices import TestStatus
from listening_tests.models import ClipImport
from tests.browser.conftest import OpenPage
from tests.factories import make_test
from tests.uploads import carry_out, sounds_and_manifest, zipped

pytestmark = pytest.mark.django_db(transaction=True)


def expect_accessible(page: Page) -> None:
    assert Axe().run(page).response["violations"] == []


def chosen(name: str, content: bytes) -> dict[str, object]:
    return {"name": name, "mimeType": "application/octet-stream", "buffer": content}


def test_it_works(open_as_staff: OpenPage, monkeypatch: pytest.MonkeyPatch) -> None:
    # There is a broker, and its worker is this test.
    monkeypatch.setattr("worker.clip_imports.import_clips.apply_async", lambda args, **_: None)
    work: Callable[[], ClipImport] = lambda: carry_out(ClipImport.objects.get())  # noqa: E731
    test = make_test(status=TestStatus.DRAFT)
    members = sounds_and_manifest(5)
    rows = members["m.csv"].decode()
    page = open_as_staff(f"/dashboard/tests/{test.slug}/clips/", viewport={"width": 360, "height": 800})
    page.get_by_role("link", name="Upload clips").click()
    bad = zipped(members | {"m.csv": rows.replace("3.wav", "<3>.wav").encode()})
    page.get_by_label("Zip of sounds").set_input_files(chosen("sounds.zip", bad))
    expect_accessible(page)
    page.get_by_role("button", name="Upload and check").click()
    expect(page.get_by_text("In the queue for its dry run")).to_be_visible()
    assert work().n_bad_rows == 1
    # The page shows it by itself.
    table = page.get_by_role("table", name="To mend")
    expect(table).to_contain_text("<3>.wav is not there.")
    expect(page.get_by_text("1 of 5 rows cannot be used")).to_be_visible()
    expect_accessible(page)
    page.get_by_label("Manifest (CSV)").set_input_files(chosen("better.csv", rows.encode()))
    page.get_by_role("button", name="Check it").click()
    expect(page.get_by_text("In the queue for its dry run")).to_be_visible()
    work()
    page.get_by_role("button", name="Take in 5 pairs").click()
    expect(page.get_by_text("In the queue to be taken in")).to_be_visible()
    ClipImport.objects.update(status="running", phase="Storing sounds", done=2, total=5)
    expect(page.get_by_role("progressbar", name="Storing sounds")).to_have_attribute("value", "2")
    ClipImport.objects.update(status="queued")
    work()
    expect(page.get_by_text("Imported 5 pairs (5 clips, 0 of them stored before; 5 captions)")).to_be_visible()
    page.get_by_role("link", name="See the clips").click()
    expect(page.get_by_role("heading", name="5 clips")).to_be_visible()
    pictures = page.locator("img.waveform")
    for number in range(5):
        pictures.nth(number).scroll_into_view_if_needed()
    page.wait_for_function(
        "() => [...document.querySelectorAll('img.waveform')].every((picture) => picture.naturalWidth > 0)"
    )
    expect_accessible(page)
    assert test.pairs.count() == 5
