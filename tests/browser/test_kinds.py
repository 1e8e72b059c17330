"""Every kind of test, rated to the end in a real browser: by touch alone on a phone, by keyboard alone at a desk."""

from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from listening_tests.choices import PairRole, SessionStatus
from listening_tests.models import Comparison, ListeningTest, ProblemReport, Rating, Session, Trial
from tests.browser.conftest import CLIP_S, DESK, PLAYED_WITHIN_S, OpenPage
from tests.browser.kinds_pages import (
    BETTER,
    ENGLISH,
    ORDER,
    QUALITY,
    RELEVANCE,
    add_line,
    another_tone,
    assert_no_sideways_scrolling,
    bodies_kept,
    button,
    compare_by_keyboard,
    compare_by_tab,
    compare_by_touch,
    enter_by_keyboard,
    enter_by_touch,
    expect_heard,
    letters,
    make_comparison,
    make_side_by_side,
    make_three_questions,
    question,
    radio,
    rate_by_keyboard,
    rate_by_touch,
    score_side_by_side_by_keyboard,
    score_side_by_side_by_touch,
    slider,
    tab_to,
    tap_line,
)
from tests.browser.rating_page import NOT_SAVED, caption, sit_down
from tests.browser.test_accessibility import STILL, Inspect, inspect
from tests.factories import make_pair

__all__ = ["inspect"]
pytestmark = pytest.mark.django_db(transaction=True)


def expect_saved(page: Page, saved: int, planned: int) -> None:
    expect(page.locator("#saved")).to_have_text(f"Saved {saved} of {planned}")


def expect_the_code(page: Page, test: ListeningTest) -> None:
    expect(page.get_by_text(test.completion_code, exact=True)).to_be_visible()
    assert Session.objects.get().status == SessionStatus.COMPLETE


def finish_by_touch(page: Page, test: ListeningTest) -> None:
    button(page, ENGLISH.skip).tap()
    expect_the_code(page, test)


def finish_by_keyboard(page: Page, test: ListeningTest) -> None:
    expect(button(page, ENGLISH.skip)).to_be_visible()
    tab_to(page, button(page, ENGLISH.skip))
    page.keyboard.press("Enter")
    expect_the_code(page, test)


def ratings_of(caption_text: str) -> dict[str, float]:
    return dict(Rating.objects.filter(pair__caption__text=caption_text).values_list("question__name", "score"))


def scores_in_places(caption_text: str) -> list[float]:
    rows = Rating.objects.filter(trial__caption__text=caption_text).order_by("place")
    return list(rows.values_list("score", flat=True))


def assert_all_heard(rows: list[Rating]) -> None:
    for row in rows:
        assert row.plays == 1
        assert row.heard_s == pytest.approx(CLIP_S, abs=PLAYED_WITHIN_S)


# Several questions on different scales


def test_three_questions_by_touch(open_page: OpenPage) -> None:
    test = make_three_questions()
    page = open_page(f"/t/{test.slug}/")
    enter_by_touch(page)
    given = {}
    for number, answers in enumerate([(10, 1, 0.253), (0, 5, 0.908)]):
        expect_saved(page, number, 2)
        assert_no_sideways_scrolling(page)
        given[caption(page).inner_text()] = answers
        rate_by_touch(page, answers)
    finish_by_touch(page, test)
    for text, (relevance, quality, part) in given.items():
        scores = ratings_of(text)
        assert (scores["relevance"], scores["quality"]) == (relevance, quality)
        # As exact as a finger, and not rounded to a whole number.
        assert scores["order"] == pytest.approx(100 * part, abs=0.6)
    assert any(score % 1 for score in Rating.objects.filter(question__name="order").values_list("score", flat=True))
    assert_all_heard(list(Rating.objects.all()))


def test_three_questions_by_keyboard(open_page: OpenPage) -> None:
    test = make_three_questions()
    page = open_page(f"/t/{test.slug}/", **DESK)
    enter_by_keyboard(page)
    given = {}
    for number, answers in enumerate([(10, 2, "63.5"), (3, 4, "7")]):
        expect_saved(page, number, 2)
        given[caption(page).inner_text()] = answers
        rate_by_keyboard(page, answers)
    finish_by_keyboard(page, test)
    for text, (relevance, quality, order) in given.items():
        assert ratings_of(text) == {"relevance": relevance, "quality": quality, "order": float(order)}
    assert_all_heard(list(Rating.objects.all()))


def test_labels_stand_in_the_buttons_and_are_read(open_page: OpenPage) -> None:
    page = sit_down(open_page, make_three_questions(), viewport={"width": 320, "height": 568})
    assert_no_sideways_scrolling(page)
    quality = question(page, QUALITY)
    for value, word in enumerate(["Bad", "Poor", "Fair", "Good", "Excellent"], start=1):
        expect(quality.get_by_text(word, exact=True)).to_be_visible()
        expect(radio(quality, value)).to_have_accessible_description(
            f"Hear the whole sound to unlock the scores. {word}"
        )
        label = quality.get_by_text(word, exact=True)
        assert label.evaluate("node => node.scrollWidth <= node.parentElement.clientWidth")


def test_digits_go_to_the_question_with_the_focus_or_to_the_first_without_an_answer(open_page: OpenPage) -> None:
    page = sit_down(open_page, make_three_questions(), **DESK)
    page.keyboard.type("4")
    expect(page.locator("#announcer")).to_have_text("Hear the whole sound to unlock the scores.")
    page.keyboard.press("Space")
    expect_heard(page, 1)
    radio(question(page, RELEVANCE), 3).check()
    page.locator("#pair").focus()
    page.keyboard.type("5")
    expect(radio(question(page, QUALITY), 5)).to_be_checked()
    expect(radio(question(page, RELEVANCE), 3)).to_be_checked()
    radio(question(page, RELEVANCE), 3).focus()
    page.keyboard.type("10")
    expect(radio(question(page, RELEVANCE), 10)).to_be_checked()
    page.keyboard.press("Enter")
    expect(slider(question(page, ORDER))).to_be_focused()
    assert Rating.objects.count() == 0


# Paired comparison


def assert_comparisons(given: dict[str, str]) -> None:
    for row in Comparison.objects.select_related("trial__caption"):
        assert row.choice == given.pop(row.trial.caption.text)
        assert (row.first_plays, row.second_plays) == (1, 1)
        assert row.first_heard_s == pytest.approx(CLIP_S, abs=PLAYED_WITHIN_S)
        assert row.second_heard_s == pytest.approx(CLIP_S, abs=PLAYED_WITHIN_S)
    assert given == {}


def test_a_comparison_by_touch(open_page: OpenPage) -> None:
    test = make_comparison(n_captions=3)
    page = open_page(f"/t/{test.slug}/")
    enter_by_touch(page)
    given = {}
    for number, choice in enumerate(["second", "none", "first"]):
        expect_saved(page, number, 3)
        assert_no_sideways_scrolling(page)
        given[caption(page).inner_text()] = choice
        compare_by_touch(page, choice)
    finish_by_touch(page, test)
    assert_comparisons(given)


def test_a_comparison_by_keyboard(open_page: OpenPage) -> None:
    test = make_comparison(n_captions=4)
    page = open_page(f"/t/{test.slug}/", **DESK)
    enter_by_keyboard(page)
    given = {}
    for number, choice in enumerate(["second", "none", "first"]):
        expect_saved(page, number, 4)
        given[caption(page).inner_text()] = choice
        compare_by_keyboard(page, choice)
    expect_saved(page, 3, 4)
    given[caption(page).inner_text()] = "second"
    compare_by_tab(page)
    finish_by_keyboard(page, test)
    assert_comparisons(given)


def test_both_sounds_are_heard_before_an_answer(open_page: OpenPage) -> None:
    page = sit_at_trials(open_page, make_comparison(), **DESK)
    answers = question(page, BETTER)
    button(page, "Play B").click()
    expect_heard(page, 1)
    for name in ("A", "No difference", "B"):
        expect(radio(answers, name)).to_be_disabled()
        expect(radio(answers, name)).to_have_accessible_description(
            "Hear both sounds to the end to unlock the answers."
        )
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    expect(button(page, ENGLISH.next)).to_be_disabled()
    # Enter goes on to what is missing.
    expect(button(page, "Play B")).to_be_focused()
    page.locator("#pair").focus()
    page.keyboard.press("Enter")
    expect(button(page, "Play A")).to_be_focused()
    assert Comparison.objects.count() == 0


def test_one_sound_plays_at_a_time(open_page: OpenPage) -> None:
    page = sit_at_trials(open_page, make_side_by_side(duration_s=20))
    button(page, "Play A").tap()
    expect(button(page, "Pause A")).to_be_visible()
    page.wait_for_function("() => document.querySelectorAll('audio')[0].currentTime > 0")
    button(page, "Play B").tap()
    expect(button(page, "Pause B")).to_be_visible()
    expect(button(page, "Play A")).to_be_visible()
    # In one look, for a device that is busy may hold the sound back a moment later.
    page.wait_for_function(
        "() => { const [a, b, c] = document.querySelectorAll('audio');"
        " return b.currentTime > 0 && a.paused && !b.paused && c.paused; }"
    )
    expect(page.get_by_role("button", name="From the start")).to_be_visible()


def test_letters_and_digits_can_be_switched_off(open_page: OpenPage) -> None:
    page = sit_at_trials(open_page, make_comparison(), **DESK)
    page.keyboard.press("Tab")
    page.get_by_role("checkbox", name="Letter and number keys play and choose").uncheck()
    page.keyboard.press("a")
    expect(button(page, "Play A")).to_be_visible()
    expect(page.locator(".player.is-heard")).to_have_count(0)
    compare_by_tab(page)
    expect_saved(page, 1, 2)
    assert Comparison.objects.get().choice == "second"


# Side by side


def test_side_by_side_by_touch(open_page: OpenPage) -> None:
    test = make_side_by_side()
    page = open_page(f"/t/{test.slug}/")
    enter_by_touch(page)
    given = {}
    for number, scores in enumerate([[10, 0, 5], [1, 2, 3]]):
        expect_saved(page, number, 2)
        assert_no_sideways_scrolling(page)
        given[caption(page).inner_text()] = scores
        score_side_by_side_by_touch(page, scores)
    finish_by_touch(page, test)
    for text, scores in given.items():
        assert scores_in_places(text) == scores
    assert Rating.objects.filter(pair__role=PairRole.ANCHOR).count() == 2
    assert_all_heard(list(Rating.objects.all()))


def test_side_by_side_by_keyboard(open_page: OpenPage) -> None:
    test = make_side_by_side()
    page = open_page(f"/t/{test.slug}/", **DESK)
    enter_by_keyboard(page)
    given = {}
    for number, scores in enumerate([[10, 0, 5], [1, 2, 3]]):
        expect_saved(page, number, 2)
        given[caption(page).inner_text()] = scores
        score_side_by_side_by_keyboard(page, scores)
    finish_by_keyboard(page, test)
    for text, scores in given.items():
        assert scores_in_places(text) == scores
    assert_all_heard(list(Rating.objects.all()))


def test_several_questions_side_by_side(open_page: OpenPage) -> None:
    test = make_side_by_side(n_captions=2, systems=1)
    add_line(test)
    page = sit_at_trials(open_page, test)
    text = caption(page).inner_text()
    for number, letter in enumerate(letters(2), start=1):
        button(page, f"Play {letter}").tap()
        expect_heard(page, number)
        radio(question(page, RELEVANCE, sound=f"Sound {letter}"), number).tap()
        expect(button(page, ENGLISH.next)).to_be_disabled()
        tap_line(page, question(page, ORDER, sound=f"Sound {letter}"), number / 4)
    expect(slider(question(page, ORDER, sound="Sound B"))).to_have_accessible_name(f"Sound B: {ORDER}")
    button(page, ENGLISH.next).tap()
    expect_saved(page, 1, 2)
    assert ratings_of(text).keys() == {"relevance", "order"}
    rows = Rating.objects.order_by("question__name", "place").values_list("question__name", "place", "score")
    assert [row[:2] for row in rows] == [("order", 1), ("order", 2), ("relevance", 1), ("relevance", 2)]
    assert [row[2] for row in rows] == [pytest.approx(25, abs=0.6), pytest.approx(50, abs=0.6), 1, 2]


def test_a_row_opens_when_its_sound_was_heard(open_page: OpenPage) -> None:
    page = sit_at_trials(open_page, make_side_by_side(), **DESK)
    page.keyboard.press("b")
    expect_heard(page, 1)
    expect(page.locator("#announcer")).to_have_text("You can score sound B now.")
    expect(radio(question(page, RELEVANCE, sound="Sound B"), 7)).to_be_enabled()
    expect(radio(question(page, RELEVANCE, sound="Sound A"), 7)).to_be_disabled()
    page.keyboard.type("7")
    expect(radio(question(page, RELEVANCE, sound="Sound B"), 7)).to_be_checked()
    page.keyboard.press("Enter")
    expect(button(page, "Play A")).to_be_focused()
    expect(button(page, ENGLISH.next)).to_be_disabled()


def test_captions_with_more_sounds_and_with_fewer(open_page: OpenPage) -> None:
    test = make_side_by_side(n_captions=2)
    smaller, larger = Trial.objects.order_by("pk")
    pair = make_pair(test, clip=another_tone(), caption=larger.caption)
    larger.pairs.add(pair)
    Trial.objects.filter(pk=smaller.pk).update(shuffle_key=0.1)
    Trial.objects.filter(pk=larger.pk).update(shuffle_key=0.2)
    page = sit_at_trials(open_page, test)
    for number in range(2):
        expect_saved(page, number, 2)
        rows = page.locator(".row:visible")
        n_sounds = 3 if caption(page).inner_text() == smaller.caption.text else 4
        expect(rows).to_have_count(n_sounds)
        score_side_by_side_by_touch(page, list(range(n_sounds)))
    page.wait_for_url("**/questions/")
    assert scores_in_places(smaller.caption.text) == [0, 1, 2]
    assert scores_in_places(larger.caption.text) == [0, 1, 2, 3]


# Nothing is lost, whatever the kind


def sit_at_trials(open_page: OpenPage, test: ListeningTest, **options: object) -> Page:
    return sit_down(open_page, test, first_button="Play A", **options)


def answer_three_questions(page: Page) -> None:
    rate_by_touch(page, (6, 2, 0.5))


def answer_comparison(page: Page) -> None:
    compare_by_touch(page, "none")


def answer_side_by_side(page: Page) -> None:
    score_side_by_side_by_touch(page, [4, 5, 6])


KINDS: dict[str, tuple[Any, Any, type[Rating] | type[Comparison], int]] = {
    "three questions": (make_three_questions, answer_three_questions, Rating, 3),
    "comparison": (make_comparison, answer_comparison, Comparison, 1),
    "side by side": (make_side_by_side, answer_side_by_side, Rating, 3),
}


def first_button(kind: str) -> str:
    return "Play" if kind == "three questions" else "Play A"


@pytest.mark.parametrize("kind", KINDS)
def test_a_cut_network_and_a_reload_lose_nothing(open_page: OpenPage, kind: str) -> None:
    make, answer, rows, n_rows = KINDS[kind]
    page = sit_down(open_page, make(), first_button=first_button(kind))
    page.route("**/ratings/", lambda route: route.abort())
    first = caption(page).inner_text()
    answer(page)
    expect(page.get_by_role("alert")).to_have_text(NOT_SAVED_OF.get(kind, NOT_SAVED))
    expect(caption(page)).not_to_have_text(first)
    second = caption(page).inner_text()
    page.reload()
    expect(caption(page)).to_have_text(second)
    assert len(bodies_kept(page)) == 1
    assert rows.objects.count() == 0
    page.unroute("**/ratings/")
    expect_saved(page, 1, 2)
    assert rows.objects.count() == n_rows
    assert bodies_kept(page) == []
    answer(page)
    page.wait_for_url("**/questions/")
    assert rows.objects.count() == 2 * n_rows


NOT_SAVED_OF = {"comparison": "Not saved yet, trying again. Your answers are kept."}


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_that_is_sent_twice_is_one(open_page: OpenPage, kind: str) -> None:
    make, answer, rows, n_rows = KINDS[kind]
    page = sit_down(open_page, make(), first_button=first_button(kind))
    statuses: list[int] = []

    def lose_the_first(route: Route) -> None:
        response = route.fetch()
        statuses.append(response.status)
        if len(statuses) == 1:
            route.abort()
        else:
            route.fulfill(response=response)

    page.route("**/ratings/", lose_the_first)
    answer(page)
    expect_saved(page, 1, 2)
    assert statuses == [201, 200]
    assert rows.objects.count() == n_rows


@pytest.mark.parametrize("kind", ["comparison", "side by side"])
def test_a_sound_that_fails_passes_over_all_of_them(open_page: OpenPage, kind: str) -> None:
    make, _, rows, _ = KINDS[kind]
    page = sit_down_with_a_missing_sound(open_page, make())
    first = caption(page).inner_text()
    offer = page.locator("#skip-offer")
    expect(offer).to_contain_text("Sound B could not be loaded. Press Play B to try again, or skip")
    expect(button(page, ENGLISH.next)).to_be_hidden()
    button(page, "Play A").tap()
    expect_heard(page, 1)
    with page.expect_response("**/skips/"):
        button(page, "Skip and report these sounds").tap()
    expect(caption(page)).not_to_have_text(first)
    report = ProblemReport.objects.get()
    assert (report.kind, report.text) == ("load", "sound 2: HTTP 404")
    assert rows.objects.count() == 0


def sit_down_with_a_missing_sound(open_page: OpenPage, test: ListeningTest, **options: object) -> Page:
    script = """
      const real = window.fetch;
      const lost = /audio.[^/]+.2.$/;
      window.fetch = (address, ...all) => real(lost.test(address) ? `${address}none/` : address, ...all);
    """
    return sit_down(open_page, test, script=script, first_button="Play A", **options)


@pytest.mark.parametrize("kind", ["comparison", "side by side"])
def test_the_clips_of_this_trial_and_the_next_are_there_before_they_are_needed(open_page: OpenPage, kind: str) -> None:
    make, answer, rows, n_rows = KINDS[kind]
    test = make(n_captions=2)
    page = sit_down(open_page, test, first_button="Play A")
    clips = 2 * (2 if kind == "comparison" else 3)
    page.wait_for_function(
        "(n) => performance.getEntriesByType('resource').filter((e) => e.name.includes('/audio/')).length >= n",
        arg=clips,
    )
    page.route("**/audio/**", lambda route: route.abort())
    answer(page)
    answer(page)
    page.wait_for_url("**/questions/")
    assert rows.objects.count() == 2 * n_rows


def test_practice_with_several_sounds(open_page: OpenPage) -> None:
    test = make_comparison(n_captions=2)
    Trial.objects.filter(pk=Trial.objects.earliest("pk").pk).update(role=PairRole.PRACTICE)
    ListeningTest.objects.update(pairs_per_session=1)
    page = sit_at_trials(open_page, test)
    expect(page.get_by_text("Practice", exact=True)).to_be_visible()
    expect(page.get_by_text("Try it out: this answer is not used.")).to_be_visible()
    answer_comparison(page)
    expect(page.locator("#practice-over")).to_have_text("Practice is over: from now on every answer counts.")
    expect(page.get_by_text("Practice", exact=True)).to_be_hidden()


# With a screen reader


def unstick(page: Page) -> None:
    """A target that has scrolled half under a bar that stays is no small target."""
    page.evaluate("""() => {
      for (const bar of document.querySelectorAll(".caption, .send")) {
        bar.style.position = "static";
      }
    }""")


@pytest.mark.parametrize("kind", KINDS)
def test_no_violation_in_any_state(open_page: OpenPage, inspect: Inspect, kind: str) -> None:
    make, answer, _, _ = KINDS[kind]
    page = sit_down(open_page, make(), first_button=first_button(kind), **STILL)
    unstick(page)
    inspect(page, f"{kind}, locked")
    for number, player in enumerate(page.locator(".play:visible").all(), start=1):
        player.click()
        expect_heard(page, number)
        if number == 1:
            inspect(page, f"{kind}, a sound heard")
    inspect(page, f"{kind}, unlocked")
    for group in page.get_by_role("group").all():
        if group.locator(".line").count():
            tap_line(page, group, 0.7)
        else:
            group.get_by_role("radio").last.check()
    expect(button(page, ENGLISH.next)).to_be_enabled()
    inspect(page, f"{kind}, answered")


@pytest.mark.parametrize("kind", ["comparison", "side by side"])
def test_no_violation_where_a_sound_fails(open_page: OpenPage, inspect: Inspect, kind: str) -> None:
    page = sit_down_with_a_missing_sound(open_page, KINDS[kind][0](), **STILL)
    expect(page.locator("#skip-offer")).to_be_visible()
    unstick(page)
    inspect(page, f"{kind}, a sound fails")


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_touched_is_large_enough(open_page: OpenPage, kind: str) -> None:
    test = KINDS[kind][0]()
    page = sit_down(open_page, test, first_button=first_button(kind), viewport={"width": 320, "height": 568})
    assert_no_sideways_scrolling(page)
    for control in page.locator(".play:visible, .score:visible, .line:visible, #next").all():
        box = control.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 43.9
