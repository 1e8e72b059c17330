"""Sound that plays: loaded ahead, never cut off, never lost to an interruption, and passed over where it is broken."""

import pytest
from django.core.files.base import ContentFile
from playwright.sync_api import Page, Route, expect

from listening_tests.models import Assignment, ListeningTest, ProblemReport, Rating
from tests.browser.conftest import DESK, OpenPage, make_audible_test, make_tone, tone_flac
from tests.browser.rating_page import (
    caption,
    expect_loaded_ahead,
    listen,
    next_button,
    play_button,
    rate,
    score,
    sit_down,
)
from tests.factories import make_caption, make_clip, make_pair, make_test

pytestmark = pytest.mark.django_db(transaction=True)

# Notes what the page plays, in order: the name of a file, or "clip".
NOTE_PLAYS = """
  window.played = [];
  const nameOf = (media) => (media.src.startsWith("blob:") ? "clip" : media.src.split("/").at(-1));
  const known = new WeakSet();
  const play = HTMLMediaElement.prototype.play;
  HTMLMediaElement.prototype.play = function () {
    if (!known.has(this)) {
      known.add(this);
      this.addEventListener("playing", () => this.paused || window.played.push(nameOf(this)));
    }
    return play.call(this);
  };
"""
IS_QUIET = "() => document.querySelector('audio').paused"


def make_test_with_a_broken_clip(*, is_missing: bool) -> ListeningTest:
    """Of two pairs one has a clip that is not to be had, or that is no sound; it comes first."""
    test = make_test(pairs_per_session=2)
    clip = make_tone(hertz=250)
    if is_missing:
        clip.rendition.storage.delete(clip.rendition.name)
    else:
        clip = make_clip(content=b"This is no sound.", duration_s=0.5)
        clip.rendition.save("tone.flac", ContentFile(b"This is no sound."))
    make_pair(test, clip=clip, caption=make_caption("Broken"), shuffle_key=0.1)
    make_pair(test, clip=make_tone(hertz=270), caption=make_caption("Whole"), shuffle_key=0.2)
    return test


@pytest.mark.parametrize(
    ("is_missing", "kind", "told"),
    [(True, "load", "The sound could not be loaded."), (False, "decode", "This browser cannot play the sound.")],
)
def test_a_sound_that_does_not_play_is_skipped_and_reported(
    open_page: OpenPage, is_missing: bool, kind: str, told: str
) -> None:
    page = sit_down(open_page, make_test_with_a_broken_clip(is_missing=is_missing))
    expect(caption(page)).to_have_text("Broken")
    offer = page.locator("#skip-offer")
    expect(offer).to_contain_text(told)
    expect(offer).to_contain_text("This is not held against you.")
    expect(page.locator("#announcer")).to_contain_text(told)
    expect(score(page, 3)).to_be_hidden()
    expect(next_button(page)).to_be_hidden()

    offer.get_by_role("button", name="Skip and report this sound").click()

    expect(caption(page)).to_have_text("Whole")
    expect(offer).to_be_hidden()
    rate(page, 3)
    page.wait_for_url("**/questions/")
    report = ProblemReport.objects.get()
    assert (report.kind, report.assignment.pair.caption.text) == (kind, "Broken")  # type: ignore[union-attr]
    assert Assignment.objects.get(skipped_at__isnull=False).rated_at is None
    assert Rating.objects.get().pair.caption.text == "Whole"


def test_the_skip_is_sent_until_it_arrives(open_page: OpenPage) -> None:
    page = sit_down(open_page, make_test_with_a_broken_clip(is_missing=True))
    page.route("**/skips/", lambda route: route.fulfill(status=503), times=1)
    page.get_by_role("button", name="Skip and report this sound").click()
    rate(page, 3)
    page.wait_for_url("**/questions/")
    assert ProblemReport.objects.count() == 1


def test_a_sound_that_fails_can_be_tried_again(open_page: OpenPage) -> None:
    test = make_test_with_a_broken_clip(is_missing=True)
    page = sit_down(open_page, test)
    expect(page.locator("#skip-offer")).to_be_visible()
    rendition = test.pairs.get(caption__text="Broken").clip.rendition
    rendition.storage.save(rendition.name, ContentFile(tone_flac(hertz=250, duration_s=0.5)))

    listen(page)

    expect(page.locator("#skip-offer")).to_be_hidden()
    score(page, 3).check()
    next_button(page).click()
    expect(page.locator("#saved")).to_have_text("Saved 1 of 2")


def test_the_offer_to_skip_goes_when_the_network_is_back(open_page: OpenPage) -> None:
    page = sit_down(open_page, make_audible_test(["Only"]))
    page.route("**/audio/**", lambda route: route.abort())
    page.reload()
    expect(page.locator("#skip-offer")).to_contain_text("The sound could not be loaded.")
    page.unroute("**/audio/**")
    expect(page.locator("#skip-offer")).to_be_hidden()
    listen(page)


def test_without_a_connection_the_sound_is_not_blamed(open_page: OpenPage) -> None:
    page = sit_down(open_page, make_audible_test(["Only"]))
    page.route("**/audio/**", lambda route: route.abort())
    page.reload()
    skip = page.get_by_role("button", name="Skip and report this sound")
    expect(skip).to_be_visible()
    page.context.set_offline(True)
    offline = "There is no connection. The sound comes as soon as there is one; nothing is lost."
    expect(page.locator("#skip-why")).to_have_text(offline)
    expect(skip).to_be_hidden()
    page.unroute("**/audio/**")
    page.context.set_offline(False)
    listen(page)


def test_a_short_fault_of_the_network_is_not_told(open_page: OpenPage) -> None:
    script = """
      const real = window.fetch;
      let faults = 1;
      window.fetch = (...all) => faults-- > 0 ? Promise.reject(new TypeError("Failed to fetch")) : real(...all);
    """
    page = sit_down(open_page, make_audible_test(["Only"]), script=script)
    listen(page)
    expect(page.locator("#skip-offer")).to_be_hidden()


def test_the_next_clip_is_there_before_it_is_needed(open_page: OpenPage) -> None:
    """And it never plays by itself."""
    page = sit_down(open_page, make_audible_test(["First", "Second", "Third"]), script=NOTE_PLAYS)
    expect_loaded_ahead(page, 3)
    page.route("**/audio/**", lambda route: route.abort())
    for value in (1, 2):
        rate(page, value)
        expect(page.locator("audio")).to_have_js_property("readyState", 4)
        assert page.evaluate(IS_QUIET)
    rate(page, 3)
    page.wait_for_url("**/questions/")
    assert Rating.objects.count() == 3


def test_the_gap_is_measured(open_page: OpenPage) -> None:
    page = sit_down(open_page, make_audible_test(["First", "Second"]))
    rate(page, 1)
    expect(page.locator("#saved")).to_have_text("Saved 1 of 2")
    expect(page.locator("audio")).to_have_js_property("readyState", 4)
    assert len(page.evaluate("performance.getEntriesByName('gap').map((entry) => entry.duration)")) == 1


def test_earphones_are_woken_before_the_clip(open_page: OpenPage) -> None:
    page = sit_down(open_page, make_audible_test(["First", "Second"], duration_s=0.5), script=NOTE_PLAYS)
    listen(page)
    expect(play_button(page)).to_be_visible()
    play_button(page).click()
    expect(page.get_by_role("button", name="Pause", exact=True)).to_be_visible()
    expect(play_button(page)).to_be_visible()
    # They sleep no more the second time.
    assert page.evaluate("window.played") == ["lead_in.wav", "clip", "clip"]


def test_without_the_lead_in_the_clip_plays_all_the_same(open_page: OpenPage) -> None:
    page = sit_down(open_page, make_audible_test(["Only"]))
    page.context.route("**/lead_in.wav", lambda route: route.abort())
    page.reload()
    rate(page, 3)
    page.wait_for_url("**/questions/")


def interrupt(page: Page) -> float:
    """As a phone call does, in the middle of the clip. Returns where it stopped, in seconds."""
    page.wait_for_function("() => document.querySelector('audio').currentTime > 0.8")
    stopped_at: float = page.evaluate(
        "() => { const audio = document.querySelector('audio'); audio.pause(); return audio.currentTime; }"
    )
    return stopped_at


def test_an_interruption_costs_nothing(open_page: OpenPage) -> None:
    page = sit_down(open_page, make_audible_test(["Only"], duration_s=1.6))
    play_button(page).click()
    stopped_at = interrupt(page)
    expect(page.get_by_role("button", name="From the start")).to_be_visible()
    expect(page.locator("#announcer")).to_contain_text("The sound was interrupted.")
    expect(score(page, 3)).to_be_disabled()

    play_button(page).click()

    resumed_at = page.evaluate("document.querySelector('audio').currentTime")
    assert resumed_at == pytest.approx(stopped_at - 0.5, abs=0.01)
    expect(page.get_by_role("button", name="From the start")).to_be_hidden()
    expect(score(page, 3)).to_be_enabled()
    score(page, 3).check()
    next_button(page).click()
    page.wait_for_url("**/questions/")
    rating = Rating.objects.get()
    assert rating.plays == 1
    assert rating.heard_s == pytest.approx(1.6, abs=0.1)


def test_after_an_interruption_the_clip_can_be_heard_from_the_start(open_page: OpenPage) -> None:
    page = sit_down(open_page, make_audible_test(["Only"], duration_s=1.6), **DESK)
    play_button(page).click()
    interrupt(page)
    page.get_by_role("button", name="From the start").press("Enter")
    expect(page.get_by_role("button", name="Pause", exact=True)).to_be_focused()
    expect(score(page, 3)).to_be_enabled()
    expect(play_button(page)).to_be_visible()
    expect(page.get_by_role("button", name="From the start")).to_be_hidden()
    score(page, 3).check()
    next_button(page).click()
    page.wait_for_url("**/questions/")
    # Cut off by somebody else, it was not a play.
    assert Rating.objects.get().plays == 1


def test_a_sound_that_the_device_holds_back_is_an_interruption(open_page: OpenPage) -> None:
    """Some phones stop the clock of the sound and say nothing."""
    page = sit_down(open_page, make_audible_test(["Only"], duration_s=1.6))
    page.evaluate("""() => {
      const audio = document.querySelector("audio");
      audio.play = () => new Promise(() => {});
      Object.defineProperty(audio, "currentTime", { get: () => 0.3, set: () => {}, configurable: true });
    }""")
    play_button(page).click()
    expect(page.get_by_role("button", name="From the start")).to_be_visible()
    page.evaluate(
        "() => { const audio = document.querySelector('audio'); delete audio.play; delete audio.currentTime; }"
    )
    listen(page)


def test_the_screen_is_kept_awake(open_page: OpenPage) -> None:
    script = """
      window.asked = [];
      Object.defineProperty(Navigator.prototype, "wakeLock", {
        value: { request: async (kind) => { window.asked.push(kind); } },
      });
    """
    page = sit_down(open_page, make_audible_test(["Only"]), script=script)
    page.wait_for_function("() => window.asked.length > 0")
    assert page.evaluate("window.asked") == ["screen"]
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_function("() => window.asked.length > 1")


def test_over_plain_http_a_video_keeps_the_screen_awake(open_page: OpenPage) -> None:
    page = sit_down(open_page, make_audible_test(["Only"]), script="delete Navigator.prototype.wakeLock;")
    expect(page.locator("#awake")).to_have_js_property("paused", True)
    play_button(page).tap()
    expect(page.locator("#awake")).to_have_js_property("paused", False)
    expect(page.locator("#awake")).to_have_js_property("muted", True)
    page.wait_for_function("() => document.querySelector('#awake').currentTime > 0")


def test_a_clip_that_comes_late_plays_when_it_is_there(open_page: OpenPage) -> None:
    """Play was pressed meanwhile, and is not to be pressed again."""
    test = make_audible_test(["Only"])
    held: list[Route] = []
    page = open_page(f"/t/{test.slug}/")
    page.route("**/audio/**", lambda route: held.append(route))
    page.get_by_role("button", name="I agree, start").click()
    page.get_by_role("button", name="Continue", exact=True).click()
    play_button(page).click()
    expect(page.locator(".clip-note")).to_have_text("Loading…")
    held.pop().continue_()
    expect(score(page, 3)).to_be_enabled()
