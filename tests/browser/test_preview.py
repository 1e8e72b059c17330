"""The preview in a real browser: a walk through each kind, and the set-up pages as axe sees them."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from listening_tests.choices import TestKind
from listening_tests.models import ListeningTest, Rating, Session
from tests.browser.conftest import DESK, PHONE, OpenPage, make_audible_test
from tests.browser.kinds_pages import (
    compare_by_touch,
    enter_by_touch,
    make_comparison,
    make_side_by_side,
    score_side_by_side_by_touch,
)
from tests.browser.rating_page import finish, rate

pytestmark = pytest.mark.django_db(transaction=True)
N_SOUNDS = 2


def make_draft_of(kind: str) -> ListeningTest:
    if kind == TestKind.COMPARISON:
        test = make_comparison(n_captions=N_SOUNDS)
    elif kind == TestKind.SIDE_BY_SIDE:
        test = make_side_by_side(n_captions=N_SOUNDS)
    else:
        test = make_audible_test(["First", "Second"])
    ListeningTest.objects.update(status="draft")
    return test


@pytest.mark.parametrize("kind", TestKind.values)
def test_a_walk_from_consent_to_the_code(open_as_staff: OpenPage, kind: str) -> None:
    test = make_draft_of(kind)
    page = open_as_staff(f"/preview/{test.slug}/", **PHONE)
    enter_by_touch(page)
    for number in range(N_SOUNDS):
        expect(page.locator("#saved")).to_have_text(f"Saved {number} of {N_SOUNDS}")
        expect(page.get_by_text("Preview: nothing is stored.")).to_be_visible()
        if kind == TestKind.COMPARISON:
            compare_by_touch(page, "first")
        elif kind == TestKind.SIDE_BY_SIDE:
            score_side_by_side_by_touch(page, [7, 3, 1])
        else:
            rate(page, 7)
    finish(page)
    expect(page.locator("#code")).to_have_text("PREVIEW")
    assert (Session.objects.count(), Rating.objects.count()) == (0, 0)


def test_axe_finds_nothing(open_as_staff: OpenPage) -> None:
    test = make_draft_of(TestKind.RATING)
    page = open_as_staff(f"/dashboard/tests/{test.slug}/set-up/", **DESK)
    found: list[str] = []
    for path in ("set-up/", "set-up/anchors/?n=1", "plan/"):
        page.goto(f"/dashboard/tests/{test.slug}/{path}")
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            violations = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
            found += [
                f"{path}, {scheme}: {each['id']}: {node['html']}" for each in violations for node in each["nodes"]
            ]
    page.goto(f"/preview/{test.slug}/")
    found += [each["id"] for each in Axe().run(page).response["violations"]]
    assert found == []
