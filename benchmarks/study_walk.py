"""A whole study as a researcher does it in the browser, from an empty admin to a closed test, page after page.

The walk finds its way by what pages say, and raises AssertionError where a page does not say what it should.
"""

import re
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import BrowserContext, Download, FilePayload, Locator, Page, expect

from benchmarks.browser_rater import BrowserRater
from benchmarks.http_rater import RIGHT_ANSWER
from benchmarks.screenshots import DESK, PHONE, Screenshots
from benchmarks.study_raters import link_of, sit_at_once
from benchmarks.study_sounds import Line, manifest_of, zip_of

PROLIFIC = "https://app.prolific.com/**"
CODE = "WHOLE42"
N_CARELESS = 3
# Pilots, imports, screenings and results come from a queue; the machine may be busy.
LONGEST_JOB_MS = 180_000
BY_HAND = 1_000
# An honest rater who uses the scale.
SCORES_BY_HAND = (8, 3, 6, 9, 5, 7, 2)


@dataclass
class StudyWalk:
    """`page` is a browser of a researcher who has signed in; `phone` makes a browser of a rater's."""

    page: Page
    phone: Callable[[], BrowserContext]
    site: str
    lines: list[Line]
    screenshots: Screenshots
    slug: str = "whole"
    title: str = "Two searches for sounds"
    pairs_per_session: int = 20
    n_raters: int = 12
    n_pilots: int = 6
    told: Callable[[str], None] = print
    _sittings: "list[Future[str]]" = field(default_factory=list)

    def walk(self) -> None:
        for step in (
            *(self.create, self.ingest, self.set_up, self.preview, self.pilot, self.open, self.rate, self.watch),
            *(self.screen, self.look_at_results, self.export, self.pay, self.see_on_a_phone, self.close),
        ):
            step()
            self.told(step.__name__)
        assert self.screenshots.too_wide == [], f"Wider than the window: {self.screenshots.too_wide}"

    def create(self) -> None:
        page = self.page
        page.goto(f"{self.site}/dashboard/")
        self._shot("tests-empty")
        page.get_by_role("link", name="New test").click()
        page.locator("#id_title").fill(self.title)
        # The page makes an address of the title while that is written.
        page.locator("#id_title").press("Tab")
        page.locator("#id_slug").fill(self.slug)
        expect(page.locator("#id_slug")).to_have_value(self.slug)
        page.locator("#id_contact_email").fill("lab@example.org")
        page.locator("#id_pairs_per_session").fill(str(self.pairs_per_session))
        page.locator("#id_recruiter").select_option("prolific")
        page.locator("#id_completion_code").fill(CODE)
        page.locator("#id_reward").fill("1.50")
        self._shot("admin-new-test")
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_text("was added successfully")).to_be_visible()
        page.goto(f"{self.site}/dashboard/")
        page.get_by_role("link", name=self.title).click()
        for tab in self._tabs.all_inner_texts():
            self._tab(tab)
            self._shot(f"draft-{tab}")

    def ingest(self) -> None:
        page = self.page
        self._tab("Clips")
        page.get_by_role("link", name="Upload clips").click()
        self._shot("upload")
        archive = FilePayload(
            name="sounds.zip", mimeType="application/zip", buffer=zip_of(self.lines, with_bad_row=True)
        )
        page.get_by_label("Zip of sounds").set_input_files(archive)
        # Some sounds of the world are silent, and a search that finds one has found nothing: a result.
        page.get_by_label("Take silent clips too").check()
        page.get_by_role("button", name="Upload and check").click()
        self._comes(page.get_by_role("table", name="To mend"))
        self._shot("dry-run-with-a-bad-row")
        manifest = FilePayload(name="manifest.csv", mimeType="text/csv", buffer=manifest_of(self.lines))
        page.get_by_label("Manifest (CSV)").set_input_files(manifest)
        page.get_by_role("button", name="Check it").click()
        take_in = page.get_by_role("button", name=f"Take in {len(self.lines)} pairs")
        self._comes(take_in)
        self._shot("dry-run")
        take_in.click()
        self._comes(page.get_by_text(f"Imported {len(self.lines)} pairs"))
        self._shot("taken-in")
        page.get_by_role("link", name="See the clips").click()
        expect(page.get_by_role("heading", name=f"{len(self.lines)} clips")).to_be_visible()
        self._shot("clips")
        page.locator("table.clips th a").first.click()
        self._shot("clip")

    def set_up(self) -> None:
        """The check-list says what is missing, and the tools beside it make it."""
        page = self.page
        self._tab("Set up")
        self._shot("set-up")
        page.locator("#practice").get_by_role("link", name="Show what would be made").click()
        self._shot("set-up-practice")
        page.get_by_role("button", name="Make them").click()
        expect(page.get_by_text("practice pairs were made")).to_be_visible()
        # The rule of the anchors takes three a rater.
        page.locator("#anchors").get_by_role("spinbutton").fill(str(len(self.lines) // 4))
        page.locator("#anchors").get_by_role("button", name="Show what would be made").click()
        self._shot("set-up-anchors")
        page.get_by_role("button", name=re.compile("^Make (it|them)$")).click()
        expect(page.get_by_text(re.compile("anchors? (was|were) made"))).to_be_visible()
        page.locator("#repeats").get_by_role("spinbutton").fill("1")
        page.locator("#repeats").get_by_role("button", name="Keep").click()
        expect(page.get_by_text("Sittings that begin from now on have so many hidden repeats.")).to_be_visible()
        # Which captions lack a system is left to how the practice pairs were drawn: now and then none does.
        unbalanced = page.locator("#balance").get_by_role("link")
        if unbalanced.count():
            unbalanced.click()
        else:
            expect(page.locator("#balance")).to_contain_text("has one sound for each")
        self._shot("set-up-balance")
        self._tab("Plan")
        self._shot("plan")

    def preview(self) -> None:
        page = self.page
        self._tab("Set up")
        page.get_by_role("link", name="Preview as a rater").click()
        self._shot("preview-consent")
        page.get_by_role("button", name="I agree, start").click()
        self._show_to_have_understood(page)
        page.get_by_role("button", name="Continue", exact=True).click()
        expect(page.locator("#caption")).to_be_visible()
        self._shot("preview-rating")
        page.goto(f"{self.site}/dashboard/tests/{self.slug}/set-up/")

    def pilot(self) -> None:
        """Simulated raters fill a copy, which goes again with everything of theirs."""
        page = self.page
        pilots = page.locator("#pilots")
        pilots.get_by_label("Simulated raters").fill(str(self.n_pilots))
        pilots.get_by_label("Of them careless").fill("1")
        pilots.get_by_role("button", name="Start a pilot").click()
        self._comes(pilots.get_by_text(f"{self.n_pilots} of {self.n_pilots} raters done"))
        expect(pilots.locator(".badge.done")).to_be_visible()
        self._shot("set-up-with-pilot")
        pilots.get_by_role("link", name=self.title).click()
        self._shot("pilot-overview")
        for tab in ("Live", "Raters"):
            self._tab(tab)
            self._shot(f"pilot-{tab}")
        page.goto(f"{self.site}/dashboard/tests/{self.slug}/set-up/")
        pilots.get_by_role("button", name="Delete").click()
        expect(page.get_by_text("The pilot is deleted, with all its sittings and answers.")).to_be_visible()
        expect(pilots.get_by_text("No pilot yet.")).to_be_visible()

    def open(self) -> None:
        page = self.page
        self._shot("ready-to-open")
        page.locator("#checklist").get_by_role("button", name=re.compile("^Open ")).click()
        expect(page.get_by_text("is open. Raters can come.")).to_be_visible()
        self._shot("opened")

    def rate(self) -> None:
        """All raters at once; one of them by hand, on a phone."""
        self._sittings = sit_at_once(
            self.site, self.slug, careful=self.n_raters - N_CARELESS, careless=N_CARELESS, lines=self.lines
        )
        self._rate_by_hand()
        codes = [sitting.result() for sitting in self._sittings]
        assert codes == [CODE] * self.n_raters, codes

    def _rate_by_hand(self) -> None:
        rater = BrowserRater(self.phone(), self.site, self.slug, name="")
        page = rater.page
        page.context.route(PROLIFIC, lambda route: route.fulfill(body="Prolific"))
        page.goto(f"{self.site}/t/{self.slug}/?{link_of(BY_HAND)}")
        self.screenshots.of_rater(page, "consent")
        page.get_by_role("button", name="I agree, start").click()
        self.screenshots.of_rater(page, "check")
        self._show_to_have_understood(page)
        self.screenshots.of_rater(page, "sound")
        page.get_by_role("button", name="Continue", exact=True).click()
        saved = page.locator("#saved")
        expect(saved).to_be_visible()
        self.screenshots.of_rater(page, "rating")
        n = 0
        while "/rate/" in page.url:
            n += 1
            self._rate_one(rater, n)
            # Until the page has taken the score, Play rests with what is rated.
            page.wait_for_function(
                "() => !document.querySelector('.play:disabled') || document.querySelector('#rating[hidden]')"
            )
            if page.locator("#rating[hidden]").count():
                page.wait_for_url("**/questions/")
        self.screenshots.of_rater(page, "questions")
        page.get_by_role("button", name="Skip", exact=True).click()
        page.wait_for_url("**/done/")
        expect(page.locator("#code")).to_have_text(CODE)
        self.screenshots.of_rater(page, "done")
        page.get_by_role("link", name="Go back to Prolific").click()
        page.wait_for_url(f"https://app.prolific.com/submissions/complete?cc={CODE}")
        rater.close()

    def _show_to_have_understood(self, page: Page) -> None:
        """New tests have a check on the instructions."""
        page.get_by_role("radio", name=RIGHT_ANSWER).check()
        page.get_by_role("button", name="Check my answers").click()
        expect(page.get_by_role("heading", name="Set up the sound")).to_be_visible()

    def _rate_one(self, rater: BrowserRater, n: int) -> None:
        page = rater.page
        rater.listen()
        rater.choose(SCORES_BY_HAND[n % len(SCORES_BY_HAND)])
        if n == 1:
            self.screenshots.of_rater(page, "score-chosen")
        rater.go_on()
        # After practice the page tells what most people give, and waits. After the last it is left.
        page.wait_for_function(
            "() => document.querySelector('#feedback')?.textContent"
            " || !document.querySelector('#rating:not([hidden]) .scale input:checked')"
        )
        told = page.locator("#feedback:not(:empty)")
        if told.count():
            if n == 1:
                self.screenshots.of_rater(page, "practice-told")
            rater.go_on()

    def watch(self) -> None:
        page = self.page
        self._tab("Overview")
        self._shot("overview")
        self._tab("Live")
        self._shot("live")
        self._tab("Raters")
        expect(page.get_by_role("heading", name=f"{self.n_raters + 1} raters")).to_be_visible()
        self._shot("raters")
        page.locator("table th a.digits").first.click()
        self._shot("rater")
        self._tab("Pairs")
        self._shot("pairs")
        page.locator("table.cards th a.anywhere").first.click()
        self._shot("pair")

    def screen(self) -> None:
        """Look, count one rule more, apply, take back, apply again."""
        page = self.page
        self._tab("Screening")
        self._shot("screening-before")
        fast = page.locator("fieldset").filter(has_text="Too fast")
        fast.get_by_label("use", exact=False).check()
        page.get_by_role("button", name="Save the rules").click()
        apply = page.get_by_role("button", name=re.compile("leave out"))
        self._comes(apply)
        self._shot("screening-preview")
        page.get_by_role("link", name="Every rater's outcomes").click()
        self._shot("screening-raters")
        self._tab("Screening")
        for again in (False, True):
            apply.click()
            expect(page.get_by_text("in force", exact=True)).to_be_visible()
            self._shot("screening-applied-again" if again else "screening-applied")
            if not again:
                page.get_by_role("button", name="Undo").click()
                expect(page.get_by_text("Taken back").first).to_be_visible()
        self._tab("Raters")
        self._shot("raters-screened")

    def look_at_results(self) -> None:
        page = self.page
        self._tab("Results")
        self._shot("results-none")
        page.get_by_role("button", name="Compute results").click()
        self._comes(page.get_by_text("Nothing has changed since."))
        self._shot("results")
        picture = self._download(page.get_by_role("link", name="PNG").first)
        assert picture.read_bytes().startswith(b"\x89PNG")
        drawing = self._download(page.get_by_role("link", name="SVG").first)
        assert b"<svg" in drawing.read_bytes()
        numbers = self._download(page.get_by_role("link", name="the numbers as CSV").first)
        assert "search-a" in numbers.read_text()
        page.get_by_role("link", name="Every pair").click()
        self._shot("results-pairs")
        page.go_back()
        page.get_by_role("link", name="every caption").click()
        self._shot("results-captions")

    def export(self) -> None:
        self._tab("Export")
        self._shot("export")
        answers = self._download(self.page.get_by_role("button", name="Download"))
        assert len(answers.read_text().splitlines()) > self.n_raters

    def pay(self) -> None:
        self._tab("Pay")
        self._shot("pay")
        table = self._download(self.page.get_by_role("link", name="Everybody, with reasons (CSV)")).read_text()
        assert len(table.splitlines()) == 1 + self.n_raters + 1
        people = self._download(self.page.get_by_role("link", name=re.compile("^Participants to approve"))).read_text()
        # Whoever did the work is paid, careless or not: that is another verdict.
        assert len(people.splitlines()) == self.n_raters + 1, people
        assert f"{0xA0000 + BY_HAND:024x}" in people

    def see_on_a_phone(self) -> None:
        """Every tab, opened where the window is narrow."""
        self.page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        for tab in self._tabs.all_inner_texts():
            self._tab(tab)
            expect(self._tabs.and_(self.page.locator("[aria-current=page]"))).to_be_in_viewport(ratio=1)
        self.page.set_viewport_size(DESK)  # type: ignore[arg-type]

    def close(self) -> None:
        page = self.page
        self._tab("Set up")
        page.get_by_text("Close this test…").click()
        page.get_by_role("button", name="Close it for good").click()
        expect(page.get_by_text("is closed for good.")).to_be_visible()
        self._shot("closed")
        for tab in ("Overview", "Live", "Plan", "Clips"):
            self._tab(tab)
            self._shot(f"closed-{tab}")
        page.goto(f"{self.site}/dashboard/")
        self._shot("tests")

    @property
    def _tabs(self) -> Locator:
        return self.page.get_by_role("navigation", name="Pages of this test").get_by_role("link")

    def _tab(self, name: str) -> None:
        tabs = self.page.get_by_role("navigation", name="Pages of this test")
        tabs.get_by_role("link", name=name, exact=True).click()
        expect(self._tabs.and_(self.page.locator("[aria-current=page]"))).to_have_text(name)

    def _comes(self, what: Locator) -> None:
        """A page that waits for the queue shows it by itself."""
        expect(what).to_be_visible(timeout=LONGEST_JOB_MS)

    def _shot(self, name: str) -> None:
        self.screenshots.of_staff(self.page, name.lower().replace(" ", "-"))

    def _download(self, link: Locator) -> Path:
        with self.page.expect_download() as downloading:
            link.click()
        download: Download = downloading.value
        return Path(download.path())
