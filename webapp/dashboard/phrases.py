"""How numbers and states of runs are said in words. Takes stored numbers; computes none."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from listening_tests.choices import TestKind, TestStatus
from listening_tests.models import ListeningTest
from worker.live import LiveTest
from worker.models import Challenge, RunStatus, TrainingRun, Verdict
from worker.overviews import TestOverview
from worker.queue_looks import OtherJob, Wait, WaitingRun

UNDEFINED = "–"
# An end within this time is told to the hour.
SOON = timedelta(days=2)
PHASES = {
    "snapshot": "Freezing the ratings in a snapshot",
    "reading": "Reading the snapshot",
    "base": "Scoring the held-out pairs with the untuned model",
    "training": "Training",
    "tuned": "Scoring the held-out pairs with the tuned model",
    "reporting": "Measuring agreement and its intervals",
}


@dataclass(frozen=True)
class KindWords:
    """What is given out in a kind of test (`item`), and what raters give for it, in the plural.

    `answers_of_item` are a rater's for one item, where it has several rows.
    """

    kind: str
    item: str
    answers: str
    answers_of_item: str
    answered: str


KIND_WORDS = {
    TestKind.RATING: KindWords("Rating", "pair", "ratings", "ratings", "rated"),
    TestKind.COMPARISON: KindWords("Paired comparison", "comparison", "answers", "answers", "answered"),
    TestKind.SIDE_BY_SIDE: KindWords("Side by side", "trial", "ratings", "answers", "answered"),
}


def kind_words(kind: str) -> KindWords:
    return KIND_WORDS[TestKind(kind)]


def phase_words(phase: str) -> str:
    return PHASES.get(phase, phase.capitalize() or "Starting")


def number(value: float | None, places: int = 2) -> str:
    return UNDEFINED if value is None else f"{value:.{places}f}".replace("-", "−")


def signed(value: float | None, places: int = 2) -> str:
    return UNDEFINED if value is None else f"{value:+.{places}f}".replace("-", "−")


def interval(low: float | None, high: float | None) -> str:
    """The words "0.22 to 0.40", empty where no interval is defined."""
    return "" if low is None or high is None else f"{number(low)} to {number(high)}"


def difference_words(value: float | None, low: float | None, high: float | None) -> str:
    """Whether the tuned model's SRCC is better, and by how much; "not clearly" where the interval holds zero."""
    if value is None:
        return "is not defined for one of the models, whose scores are all alike"
    if low is None or high is None:
        return f"changed by {signed(value)}, no interval is defined"
    if low > 0:
        return f"better by {number(value)}, 95 % interval {interval(low, high)}"
    if high < 0:
        return f"worse: {signed(value)}, 95 % interval {interval(low, high)}"
    return f"not clearly better or worse: {signed(value)}, and the 95 % interval {interval(low, high)} holds zero"


def duration(seconds: float | None) -> str:
    """A rough time for people; empty where there is no estimate."""
    if seconds is None:
        return ""
    if seconds < 60:
        return "less than a minute"
    minutes = round(seconds / 60)
    if minutes < 90:
        return "about 1 minute" if minutes == 1 else f"about {minutes} minutes"
    return f"about {round(minutes / 60)} hours"


def cost_words(run: TrainingRun) -> str:
    """For how long a run held its device, under all the workers that carried it on; empty where it never did."""
    if run.is_on_gpu is None:
        return ""
    seconds = f"{run.device_seconds:,.0f}" if run.device_seconds >= 10 else f"{run.device_seconds:.1f}"
    attempts = f", in {run.attempt:,} attempts" if run.attempt > 1 else ""
    if run.is_on_gpu:
        return f"{seconds} GPU seconds{attempts}"
    return f"{seconds} seconds on a CPU{attempts}; no GPU was used"


def wait_sentence(waiting: WaitingRun, *, is_known: bool) -> str:
    """Why a queued run has not begun. `is_known`: the reader may know which run has the GPU."""
    behind, n_ahead = waiting.behind, waiting.n_ahead
    ahead = "" if n_ahead == 0 else f" {n_ahead:,} queued {'run comes' if n_ahead == 1 else 'runs come'} before it."
    match waiting.wait:
        case Wait.WORKER:
            return f"No worker is listening on the queue gpu.{ahead}"
        case Wait.BROKER:
            return f"The broker cannot be reached.{ahead}"
        case Wait.GPU if isinstance(behind, TrainingRun):
            which = f"run {behind.uuid.hex[:8]} of “{behind.test.title}”" if is_known else "a run of another test"
            since = f" since {behind.started_at:%Y-%m-%d %H:%M} UTC" if behind.started_at else ""
            return f"Waits for the GPU: {which} is on {behind.host}{since}.{ahead}"
        case Wait.GPU if isinstance(behind, OtherJob):
            where = f" on {behind.host}" if behind.host else ""
            whose = f"“{behind.test.title}”" if is_known else "another test"
            return f"Waits for the GPU: it is at work{where} for {whose} ({behind.kind.lower()}).{ahead}"
        case _:
            return f"A worker takes it within moments.{ahead}" if n_ahead == 0 else ahead.strip()


def run_words(run: Any) -> str:
    """A run's state or result as one sentence. `run` is a TrainingRun with the annotations of `selectors.run_list`."""
    if run.status == RunStatus.DONE:
        words = difference_words(run.difference_srcc, run.difference_low, run.difference_high)
        return f"SRCC {number(run.tuned_srcc)}, untuned {number(run.base_srcc)}: {words}."
    return _unfinished_words(run)


def _unfinished_words(run: TrainingRun) -> str:
    match run.status:
        case RunStatus.QUEUED:
            return run.message or "Waits in the queue."
        case RunStatus.RUNNING:
            steps = f", step {run.step} of {run.total_steps}" if run.total_steps else ""
            return f"{phase_words(run.phase)}{steps}."
        case RunStatus.CANCELLING:
            return "Stops after its current step."
        case RunStatus.FAILED:
            return run.message
        case RunStatus.ERRORED:
            return run.message or "A fault ended it; its page holds the traceback."
        case _:
            return run.message or "Cancelled."


def plan_sentence(overview: TestOverview) -> str:
    """When the next run starts by itself."""
    new, enough = overview.n_new_ratings, overview.plan.retrain_after
    if overview.n_until_retrain is None:
        return f"No run starts by itself: that is turned off for this test. {new:,} new ratings since the last run."
    look = f"{overview.next_look:%H:%M} UTC"
    if overview.n_until_retrain == 0:
        return f"A new run starts by itself at the next look, {look}: {new:,} new ratings, and {enough:,} are enough."
    return f"A new run starts by itself after {enough:,} new ratings; {new:,} so far; next look at {look}."


def seconds_words(low: float | None, median: float | None, high: float | None) -> str:
    """A median and its quartiles in words; empty where nothing was timed."""
    if low is None or median is None or high is None:
        return ""
    return f"{median:.0f} s in the median; half of them took {low:.0f} to {high:.0f} s"


def pace_sentence(test: ListeningTest, live: LiveTest) -> str:
    """When the test will have all its answers, as far as that can be told."""
    pace, missing = live.pace, live.coverage.n_missing
    if live.coverage.n_in_k == 0:
        return "There is nothing to rate yet."
    if missing == 0:
        return "Complete: no answer is missing."
    came = f"{pace.n_answers:,} {'answer' if pace.n_answers == 1 else 'answers'} since {pace.since:%-d %b, %H:%M} UTC"
    lacks = "1 answer is missing" if missing == 1 else f"{missing:,} answers are missing"
    if test.status != TestStatus.OPEN:
        return f"{lacks}, and the test is {test.get_status_display().lower()}."
    if pace.ends_at is None:
        return f"{lacks}. Too few come in to say when it ends: {came}."
    # The hour is begun by then, never one that has passed.
    hour = pace.ends_at.replace(minute=0) + timedelta(hours=1)
    end = f"{hour:%-d %b %Y, before %H:00}" if pace.ends_at - live.at < SOON else f"{pace.ends_at:%-d %b %Y}"
    hourly = f"{pace.per_hour:.0f}" if pace.per_hour >= 10 else f"{pace.per_hour:.1f}"
    return f"{lacks}. At the pace of late it ends on {end} UTC: {came}, {hourly} an hour."


def challenge_words(challenge: Challenge | None) -> str:
    """How a model compared with the champion of its day."""
    if challenge is None:
        return UNDEFINED
    other = f"model {challenge.champion.weights_sha256[:12]}" if challenge.champion else "the untuned model"
    words = difference_words(challenge.difference, challenge.low, challenge.high)
    few = " Too few pairs to take its place by itself." if challenge.verdict == Verdict.TOO_FEW else ""
    return f"Against {other}, {challenge.n_pairs:,} held-out pairs: {words}.{few}"
