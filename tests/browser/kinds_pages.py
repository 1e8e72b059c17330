"""The rating page of every kind of test: tests to sit at, and how a rater answers by touch alone and by keyboard alone.

What the controls are called is handed in as `Names`, so that the same sittings go through in every language.
"""

from dataclasses import dataclass
from itertools import count

from playwright.sync_api import Locator, Page, expect

from listening_tests.choices import TestKind
from listening_tests.models import Clip, ListeningTest, Question, ScaleLabel
from listening_tests.services.trials import anchors_complete, trials_make
from tests.browser.conftest import CLIP_S, make_tone
from tests.factories import make_caption, make_pair, make_test

RELEVANCE = "How well does the caption match the sound?"
QUALITY = "How good does the sound itself sound?"
ORDER = "Are the events in the caption's order?"
BETTER = "Which sound matches the caption better?"
QUALITY_WORDS = ("Bad", "Poor", "Fair", "Good", "Excellent")


READ_BODIES = """() => new Promise((resolve, reject) => {
  const opening = indexedDB.open("earmark", 1);
  opening.onupgradeneeded = reject;
  opening.onsuccess = () => {
    const reading = opening.result.transaction("outbox").objectStore("outbox").getAll();
    reading.onsuccess = () => { opening.result.close(); resolve(reading.result.map((entry) => entry.body)); };
  };
})"""


@dataclass(frozen=True)
class Names:
    """What the controls are called in one language; {letter} stands for a sound's."""

    agree: str = "I agree, start"
    go_on: str = "Continue"
    play: str = "Play"
    play_sound: str = "Play {letter}"
    sound: str = "Sound {letter}"
    first: str = "A"
    none: str = "No difference"
    second: str = "B"
    next: str = "Next"
    skip: str = "Skip"
    no_mark: str = "No mark is set yet."
    relevance: str = RELEVANCE
    better: str = BETTER

    def choice(self, value: str) -> str:
        return {"first": self.first, "none": self.none, "second": self.second}[value]


ENGLISH = Names()


_pitches = count()

# Tests to sit at


def another_tone(*, duration_s: float = CLIP_S) -> Clip:
    """No two clips are the same."""
    return make_tone(hertz=300 + 7 * next(_pitches), duration_s=duration_s)


def make_three_questions(*, n_captions: int = 2) -> ListeningTest:
    """Ratings on 0..10, on 1..5 with a word for each number, and on a line from 0 to 100."""
    test = make_test(pairs_per_session=n_captions)
    quality = Question.objects.create(
        test=test, name="quality", prompt=QUALITY, scale_min=1, scale_max=5, min_label="Bad", max_label="Excellent"
    )
    for value, text in enumerate(QUALITY_WORDS[1:-1], start=2):
        ScaleLabel.objects.create(question=quality, value=value, text=text)
    add_line(test)
    for number in range(n_captions):
        make_pair(test, clip=another_tone(), caption=make_caption(f"Caption {number + 1}"))
    return test


def add_line(test: ListeningTest) -> Question:
    """A continuous question besides the others."""
    return Question.objects.create(
        test=test,
        name="order",
        prompt=ORDER,
        scale_max=100,
        scale_step=0,
        min_label="in another order",
        max_label="in this order",
    )


def make_comparison(*, n_captions: int = 2) -> ListeningTest:
    test = make_trials(TestKind.COMPARISON, n_captions=n_captions, systems=2)
    test.questions.update(prompt=BETTER, min_label="", max_label="")
    return test


def make_side_by_side(*, n_captions: int = 2, systems: int = 2, duration_s: float = CLIP_S) -> ListeningTest:
    """`systems` clips for each caption, and an anchor."""
    return make_trials(TestKind.SIDE_BY_SIDE, n_captions=n_captions, systems=systems, duration_s=duration_s)


def make_trials(kind: str, *, n_captions: int, systems: int, duration_s: float = CLIP_S) -> ListeningTest:
    test = make_test(kind=kind, pairs_per_session=n_captions)
    for number in range(n_captions):
        caption = make_caption(f"Caption {number + 1}")
        for system in range(systems):
            clip = another_tone(duration_s=duration_s)
            make_pair(test, clip=clip, caption=caption, system=f"system {system}")
    trials_make(test=test)
    anchors_complete(test=test)
    return test


# Controls


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


def question(page: Page, prompt: str, *, sound: str = "") -> Locator:
    """The group of a question; `sound` names the sound that it is about, where there are several."""
    return page.get_by_role("group", name=f"{sound}: {prompt}" if sound else prompt, exact=True)


def radio(group: Locator, name: str | int) -> Locator:
    return group.get_by_role("radio", name=str(name), exact=True)


def slider(group: Locator) -> Locator:
    return group.get_by_role("slider")


def shown_value(group: Locator) -> Locator:
    return group.locator(".line-value")


def expect_heard(page: Page, clips: int) -> None:
    expect(page.locator(".player.is-heard:visible")).to_have_count(clips)


def letters(count: int) -> str:
    return "ABCDEFGHIJ"[:count]


def bodies_kept(page: Page) -> list[dict[str, object]]:
    """What this browser has not yet seen acknowledged, as it is sent."""
    kept: list[dict[str, object]] = page.evaluate(READ_BODIES)
    return kept


def assert_no_sideways_scrolling(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


# By touch


def enter_by_touch(page: Page, names: Names = ENGLISH) -> None:
    button(page, names.agree).tap()
    button(page, names.go_on).tap()


def tap_line(page: Page, group: Locator, part: float) -> None:
    """Touches the line with a finger, at 0 for its one end to 1 for the other."""
    slider(group).scroll_into_view_if_needed()
    box = group.locator(".line-track").bounding_box()
    assert box is not None
    page.touchscreen.tap(box["x"] + part * box["width"], box["y"] + box["height"] / 2)


def rate_by_touch(page: Page, answers: tuple[int, int, float], names: Names = ENGLISH) -> None:
    """Three questions; the last answer is a part of the line."""
    relevance, quality, part = answers
    button(page, names.play).tap()
    expect_heard(page, 1)
    radio(question(page, names.relevance), relevance).tap()
    radio(question(page, QUALITY), quality).tap()
    expect(button(page, names.next)).to_be_disabled()
    tap_line(page, question(page, ORDER), part)
    button(page, names.next).tap()


def compare_by_touch(page: Page, choice: str, names: Names = ENGLISH) -> None:
    for number, letter in enumerate(letters(2), start=1):
        button(page, names.play_sound.format(letter=letter)).tap()
        expect_heard(page, number)
    radio(question(page, names.better), names.choice(choice)).tap()
    button(page, names.next).tap()


def score_side_by_side_by_touch(page: Page, scores: list[int], names: Names = ENGLISH) -> None:
    for number, (letter, score) in enumerate(zip(letters(len(scores)), scores, strict=True), start=1):
        button(page, names.play_sound.format(letter=letter)).tap()
        expect_heard(page, number)
        radio(question(page, names.relevance, sound=names.sound.format(letter=letter)), score).tap()
    button(page, names.next).tap()


# By keyboard


def tab_to(page: Page, target: Locator) -> None:
    """Presses Tab until the focus is there."""
    for _ in range(60):
        if target.count() and target.evaluate("node => node === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab never comes to {target}.")


def enter_by_keyboard(page: Page, names: Names = ENGLISH) -> None:
    for name in (names.agree, names.go_on):
        expect(button(page, name)).to_be_visible()
        tab_to(page, button(page, name))
        page.keyboard.press("Enter")
        expect(button(page, name)).to_be_hidden()


def rate_by_keyboard(page: Page, answers: tuple[int, int, str], names: Names = ENGLISH) -> None:
    """Three questions, Enter from one to the next; the last answer is typed in full."""
    expect(button(page, names.play)).to_be_enabled()
    page.keyboard.press("Space")
    expect_heard(page, 1)
    page.keyboard.type(str(answers[0]))
    expect(radio(question(page, names.relevance), answers[0])).to_be_checked()
    page.keyboard.press("Enter")
    page.keyboard.type(str(answers[1]))
    expect(radio(question(page, QUALITY), answers[1])).to_be_checked()
    page.keyboard.press("Enter")
    expect(slider(question(page, ORDER))).to_be_focused()
    page.keyboard.type(answers[2])
    expect(shown_value(question(page, ORDER))).to_have_text(answers[2])
    page.keyboard.press("Enter")


def compare_by_keyboard(page: Page, choice: str, names: Names = ENGLISH) -> None:
    for number, letter in enumerate(letters(2), start=1):
        expect(button(page, names.play_sound.format(letter=letter))).to_be_enabled()
        page.keyboard.press(letter.lower())
        expect_heard(page, number)
    page.keyboard.press({"first": "1", "none": "2", "second": "3"}[choice])
    expect(radio(question(page, names.better), names.choice(choice))).to_be_checked()
    page.keyboard.press("Enter")


def compare_by_tab(page: Page, names: Names = ENGLISH) -> None:
    """With Tab, Enter and the arrow keys alone: the second is chosen."""
    for number, letter in enumerate(letters(2), start=1):
        tab_to(page, button(page, names.play_sound.format(letter=letter)))
        page.keyboard.press("Enter")
        expect_heard(page, number)
    tab_to(page, radio(question(page, names.better), names.first))
    page.keyboard.press("ArrowLeft")
    expect(radio(question(page, names.better), names.second)).to_be_checked()
    tab_to(page, button(page, names.next))
    page.keyboard.press("Enter")


def score_side_by_side_by_keyboard(page: Page, scores: list[int], names: Names = ENGLISH) -> None:
    for number, (letter, score) in enumerate(zip(letters(len(scores)), scores, strict=True), start=1):
        expect(button(page, names.play_sound.format(letter=letter))).to_be_enabled()
        page.keyboard.press(letter.lower())
        expect_heard(page, number)
        page.keyboard.type(str(score))
        expect(radio(question(page, names.relevance, sound=names.sound.format(letter=letter)), score)).to_be_checked()
    page.keyboard.press("Enter")
