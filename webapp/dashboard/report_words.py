"""What a report says in sentences, each number with its source. Takes stored numbers; computes none."""

from django.utils.html import format_html
from django.utils.safestring import SafeString

from webapp.dashboard.figures import figure, interval_of, told
from worker.models import LearningForecast, RunReport
from worker.run_reports import ReportOfRun
from worker.selectors import MetricEstimate, RunMetrics


def difference_told(found: MetricEstimate, at: str) -> SafeString:
    """As `phrases.difference_words`: better, and by how much, or worse, or "not clearly" where the interval holds 0."""
    if found.value is None:
        return told("is not defined for one of the models, whose scores are all alike")
    signed, between = figure(found.value, f"{at}.value", "signed"), interval_of(found, at)
    if found.low is None or found.high is None:
        return told("changed by ", signed, ", no interval is defined")
    if found.low > 0:
        return told("better by ", figure(found.value, f"{at}.value"), ", 95 % interval ", between)
    if found.high < 0:
        return told("worse: ", signed, ", 95 % interval ", between)
    return told("not clearly better or worse: ", signed, ", and the 95 % interval ", between, " holds zero")


def verdict(metrics: RunMetrics, at: str = "") -> SafeString:
    found = metrics.difference.get("srcc")
    if found is None:
        return SafeString("")
    at = f"{at}metrics.difference.srcc"
    pairs = figure(found.n, f"{at}.n", "count")
    return told("Tuned model: SRCC ", difference_told(found, at), ", ", pairs, " held-out pairs.")


def champion_verdict(report: ReportOfRun, link: str) -> SafeString:
    """How the run compares with the model that was in use when it ended; empty where parts were not measured.

    `link` is the address of that model's run, empty where there is nowhere to go.
    """
    if report.report is None:
        return SafeString("")
    found = report.metrics.vs_champion.get("srcc")
    if found is None or report.champion is None:
        return told("When the run ended, no tuned model was in use that shares held-out pairs with it.")
    at = "metrics.vs_champion.srcc"
    name = f"model {report.champion.weights_sha256[:12]}"
    name = format_html('<a href="{}">{}</a>', link, name) if link else name
    pairs = figure(found.n, f"{at}.n", "count")
    return told(
        "Against the champion of the day, ", name, ": SRCC ", difference_told(found, at), ", ", pairs,
        " held-out pairs that both were measured on.",
    )  # fmt: skip


def people_told(metrics: RunMetrics, at: str = "") -> SafeString:
    """The two lines between which an SRCC is read; empty where people compared."""
    one, ceiling = metrics.one_vs_rest_srcc, metrics.ceiling_srcc
    if one is None or ceiling is None or one.value is None or ceiling.value is None:
        return SafeString("")
    return told(
        "One person’s rating reaches ", figure(one.value, f"{at}people.one_vs_rest_srcc.value"),
        " against the mean of the others; a perfect model would reach ",
        figure(ceiling.value, f"{at}people.ceiling_srcc.value"), " with these ratings, the ceiling.",
    )  # fmt: skip


def calibration_told(report: RunReport | None) -> SafeString:
    """How the calibrated score lies to people's mean; empty where that was not measured."""
    if report is None or report.bias is None:
        return SafeString("")
    parts = {
        name: told(
            figure(getattr(report, name), f"calibration.{name}.value", "signed" if name == "bias" else "number"),
            *_bracketed(report, name),
        )
        for name in ("slope", "intercept", "bias")
    }
    return told(
        "People’s mean = intercept + slope × score: slope ", parts["slope"], ", intercept ", parts["intercept"],
        ". The score less people’s mean is ", parts["bias"], " on average. A score that means what it says has one, "
        "zero and zero.",
    )  # fmt: skip


def forecast_told(forecast: LearningForecast | None) -> SafeString:
    """What more ratings would buy, and how wide that guess is."""
    if forecast is None:
        return told("No run has been measured for a learning curve yet: the next one is.")
    at = "learning_curve"
    counts = {
        name: figure(getattr(forecast, name), f"{at}.{name}", "count") for name in ("n_more", "n_sizes", "n_runs")
    }
    if forecast.gain is None:
        return told(
            "Too few runs to say what ", counts["n_more"], " more ratings would buy: it takes runs on at least 3 "
            "different numbers of ratings, with the same preset and base model, and there are ", counts["n_sizes"], ".",
        )  # fmt: skip
    values = {
        name: MetricEstimate(
            value=getattr(forecast, name),
            low=getattr(forecast, f"{name}_low"),
            high=getattr(forecast, f"{name}_high"),
            n=forecast.n_runs,
        )
        for name in ("gain", "then")
    }
    gain, then = (told(figure(one.value, f"{at}.{name}.value"), ", 95 % interval ", interval_of(one, f"{at}.{name}"))
                  for name, one in values.items())  # fmt: skip
    return told(
        counts["n_more"], " more ratings would raise the held-out SRCC by ", gain, ", to ", then, ". That is a guess "
        "from ", counts["n_runs"], " runs.",
    )  # fmt: skip


def _bracketed(report: RunReport, name: str) -> list[str | SafeString]:
    low, high = getattr(report, f"{name}_low"), getattr(report, f"{name}_high")
    if low is None or high is None:
        return []
    between = interval_of(MetricEstimate(value=None, low=low, high=high, n=0), f"calibration.{name}")
    return [" (95 % interval ", between, ")"]
