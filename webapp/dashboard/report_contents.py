"""What a report's page and its HTML file show: sentences, tables, and where their pictures come from."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from django.urls import reverse
from django.utils.safestring import SafeString

from webapp.dashboard.figures import EstimateRow, ReportTable, estimate_cell, figure
from webapp.dashboard.report_tables import (
    agreement_table,
    curve_tables,
    measure_rows,
    part_rows,
    run_tables,
    wrong_table,
)
from webapp.dashboard.report_words import (
    calibration_told,
    champion_verdict,
    forecast_told,
    people_told,
    verdict,
)
from worker.heldout_notes import heldout_notes_of_run, heldout_notes_of_test
from worker.models import Part, Prediction, TrainingRun
from worker.run_reports import ReportOfRun, ReportOfTest, estimate_of
from worker.selectors import run_predictions

PARTS = (
    ("Within captions and systems", (Part.WITHIN_CAPTION, Part.WITHIN_SYSTEM)),
    ("Natural against synthesised", (Part.ORIGIN,)),
    ("By system", (Part.SYSTEM,)),
    ("By what people said", (Part.N_RATINGS, Part.DISAGREEMENT)),
)


@dataclass(frozen=True)
class ShownPicture:
    """A table's picture: addresses below which it is drawn, or, in a file, the picture itself."""

    table: ReportTable
    svg: str = ""
    png: str = ""
    csv: str = ""
    query: str = ""
    inline: SafeString = SafeString("")


@dataclass(frozen=True)
class WrongLine:
    pair: Prediction
    cells: list[tuple[str, SafeString, bool]]


@dataclass(frozen=True)
class RunOfTest:
    """A finished run in a test's report."""

    run: TrainingRun
    n_ratings: SafeString
    row: EstimateRow


def tables_of_run(report: ReportOfRun) -> dict[str, ReportTable]:
    return run_tables(report, run_predictions(run=report.run))


def contents_of_run(report: ReportOfRun, tables: dict[str, ReportTable], *, is_file: bool = False) -> dict[str, Any]:
    """`is_file` where nothing is to lead to other pages."""
    run = report.run
    has_link = report.champion is not None and not is_file
    link = reverse("dashboard:run_page", args=[report.champion.run.uuid]) if has_link and report.champion else ""
    groups = [(title, part_rows(report.parts, *which)) for title, which in PARTS]
    return {
        "run": run,
        "test": run.test,
        "report": report,
        "verdict": verdict(report.metrics),
        "champion_verdict": champion_verdict(report, link),
        "people": people_told(report.metrics),
        "agreement_table": agreement_table(report.metrics),
        "measure_rows": measure_rows(report.metrics),
        "part_groups": [(title, rows) for title, rows in groups if rows],
        "calibration": calibration_told(report.report),
        "calibration_table": tables.get("calibration"),
        "wrong": [
            WrongLine(pair, cells) for pair, cells in zip(report.wrong, wrong_table(report.wrong).lines, strict=True)
        ],
        "n_wrong": figure(report.n_wrong, "wrong.n", "count"),
        "n_shown": len(report.wrong),
        "follow_up_uuid": uuid4(),
        "pictures": {name: _run_picture(run, table) for name, table in tables.items()},
        "heldout_notes": heldout_notes_of_run(run=run),
    }


def contents_of_test(report: ReportOfTest, runs: list[TrainingRun], *, first: int = 0) -> dict[str, Any]:
    """`first` is the place of `runs` among all of them, counted from 0."""
    metrics = report.newest_metrics
    tables = curve_tables(report)
    return {
        "test": report.test,
        "report": report,
        "champion": report.champion,
        "newest": report.newest,
        "verdict": verdict(metrics, "newest.") if metrics else "",
        "people": people_told(metrics, "newest.") if metrics else "",
        "measure_rows": measure_rows(metrics, "newest.") if metrics else [],
        "runs": [_run_of_test(run, f"runs.{first + place}") for place, run in enumerate(runs)],
        "forecast": forecast_told(report.forecast),
        "curve_table": tables.get("curve"),
        "pictures": {name: _test_picture(report, table) for name, table in tables.items()},
        "heldout_notes": next(
            (notes for notes in heldout_notes_of_test(test=report.test) if notes.question == report.question), None
        ),
        "query": urlencode({"question": report.question}),
    }


def _run_of_test(run: TrainingRun, at: str) -> RunOfTest:
    n_ratings = run.snapshot.n_ratings + run.snapshot.n_comparisons if run.snapshot else None
    cells = [
        estimate_cell(label, estimate_of(run, side), f"{at}.srcc.{side}", is_difference=is_difference)
        for side, label, is_difference in (
            ("base", "Untuned", False),
            ("tuned", "Tuned", False),
            ("difference", "Tuned less untuned", True),
            ("vs_champion", "Tuned less champion", True),
        )
    ]
    row = EstimateRow(run.uuid.hex[:8], cells, figure(run.n_heldout, f"{at}.n_heldout", "count"))
    return RunOfTest(run, figure(n_ratings, f"{at}.n_ratings", "count"), row)


def _run_picture(run: TrainingRun, table: ReportTable) -> ShownPicture:
    svg, png = (
        reverse("dashboard:run_report_picture", args=[run.uuid, table.name, file_format])
        for file_format in ("svg", "png")
    )
    return ShownPicture(table, svg, png, reverse("dashboard:run_report_csv", args=[run.uuid, table.name]))


def _test_picture(report: ReportOfTest, table: ReportTable) -> ShownPicture:
    slug = report.test.slug
    svg, png = (
        reverse("dashboard:test_report_picture", args=[slug, table.name, file_format]) for file_format in ("svg", "png")
    )
    address = reverse("dashboard:test_report_csv", args=[slug, table.name])
    return ShownPicture(table, svg, png, address, urlencode({"question": report.question}))
