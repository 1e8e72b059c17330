"""The numbers behind each picture of a report, as tables that are shown, drawn and downloaded alike."""

from webapp.dashboard.figures import EstimateRow, ReportTable, estimate_cell
from webapp.dashboard.result_tables import NOT_NAMED, Cell, Column, said
from worker.models import LearningForecast, MetricName, Part, Prediction
from worker.run_reports import CurveRun, PartLine, ReportOfRun, ReportOfTest
from worker.selectors import MetricEstimate, RunMetrics, ScatterPoint

SRCC = MetricName.SRCC
SIDES = {"base": "Untuned", "champion": "Champion", "tuned": "Tuned"}
DIFFERENCES = {"difference": "Tuned less untuned", "vs_champion": "Tuned less champion"}
ORIGINS = {"natural": "Natural recordings", "synthesised": "Synthesised"}
WHOLE = {
    Part.WITHIN_CAPTION: "Within captions",
    Part.WITHIN_SYSTEM: "Within systems",
}
_INTERVAL = (Column("low", "95 % from"), Column("high", "to"))


def run_tables(report: ReportOfRun, points: list[ScatterPoint]) -> dict[str, ReportTable]:
    """By name, in the order of the page; those without rows are missing."""
    tables = (agreement_table(report.metrics), _parts_table(report), _calibration_table(report), _scatter_table(points))
    return {table.name: table for table in tables if table.rows}


def curve_tables(report: ReportOfTest) -> dict[str, ReportTable]:
    table = _curve_table(report.forecast, report.curve_runs)
    return {table.name: table} if table.rows else {}


def measure_rows(metrics: RunMetrics, at: str = "") -> list[EstimateRow]:
    """The measures that were stored, in the order in which the field names them. `at` is where in the JSON they are."""
    has_champion = bool(metrics.champion)
    rows = []
    for name in MetricName:
        if name not in metrics.tuned:
            continue
        cells = [
            estimate_cell(
                label, getattr(metrics, side).get(name), f"{at}metrics.{side}.{name}", is_difference=is_difference
            )
            for sides, is_difference in ((SIDES, False), (DIFFERENCES, True))
            for side, label in sides.items()
            if has_champion or side not in {"champion", "vs_champion"}
        ]
        rows.append(EstimateRow(name.label, cells, next(cell.n for cell in cells if cell.label == SIDES["tuned"])))
    return rows


def part_rows(parts: list[PartLine], *which: Part) -> list[EstimateRow]:
    """SRCC of both models in the groups of these parts."""
    rows = []
    for place, line in enumerate(parts):
        if line.part not in which or SRCC not in line.tuned:
            continue
        at = f"parts.{place}"
        cells = [
            estimate_cell("Untuned", line.base.get(SRCC), f"{at}.base.srcc"),
            estimate_cell("Tuned", line.tuned.get(SRCC), f"{at}.tuned.srcc"),
            estimate_cell("Difference", line.difference.get(SRCC), f"{at}.difference.srcc", is_difference=True),
        ]
        rows.append(EstimateRow(group_name(line), cells, cells[1].n))
    return rows


def group_name(line: PartLine) -> str:
    if line.part in WHOLE:
        return WHOLE[line.part]
    if line.part == Part.ORIGIN:
        return ORIGINS[line.group]
    if line.part == Part.SYSTEM:
        return line.group or NOT_NAMED
    if line.part == Part.N_RATINGS:
        return f"Pairs with {line.group} rating{'' if line.group == '1' else 's'}"
    return f"Raters’ disagreement: {line.group} third"


def agreement_table(metrics: RunMetrics, at: str = "") -> ReportTable:
    """Whose SRCC, from the lower line to the upper one."""
    found: list[tuple[str, MetricEstimate | None, str]] = [
        ("One person against the rest", metrics.one_vs_rest_srcc, "people.one_vs_rest_srcc"),
        ("Untuned model", metrics.base.get(SRCC), "metrics.base.srcc"),
        ("Champion", metrics.champion.get(SRCC), "metrics.champion.srcc"),
        ("Tuned model", metrics.tuned.get(SRCC), "metrics.tuned.srcc"),
        ("Ceiling", metrics.ceiling_srcc, "people.ceiling_srcc"),
    ]
    told = [(name, one, f"{at}{where}") for name, one, where in found if one is not None]
    rows: list[list[Cell]] = [[name, one.value, one.low, one.high, one.n] for name, one, _ in told]
    places = [["", *(f"{where}.{part}" for part in ("value", "low", "high", "n"))] for _, _, where in told]
    columns = [
        Column("whose", "Whose agreement", "text"),
        Column("srcc", "SRCC"),
        *_INTERVAL,
        Column("pairs", "Pairs", "count"),
    ]
    spoken = ", ".join(f"{name.lower()} {said(one.value, 'number')}" for name, one, _ in told)
    return ReportTable("agreement", "SRCC with people", columns, rows, f"SRCC with people: {spoken}.", places)


def _parts_table(report: ReportOfRun) -> ReportTable:
    """SRCC, LCC, tau-b and MSE of both models in every group."""
    rows: list[list[Cell]] = []
    places = []
    for place, line in enumerate(report.parts):
        for name in MetricName.values:
            if name not in line.tuned:
                continue
            row: list[Cell] = [line.part.label, group_name(line), name]
            where = ["", "", ""]
            for side in ("base", "tuned", "difference"):
                one: MetricEstimate = getattr(line, side)[name]
                row += [one.value, one.low, one.high]
                where += [f"parts.{place}.{side}.{name}.{part}" for part in ("value", "low", "high")]
            rows.append([*row, line.tuned[name].n])
            places.append([*where, f"parts.{place}.tuned.{name}.n"])
    columns = [Column("part", "Part", "text"), Column("group", "Group", "text"), Column("metric", "Measure", "text")]
    for side, title in (("untuned", "Untuned"), ("tuned", "Tuned"), ("difference", "Difference")):
        style = "signed" if side == "difference" else "number"
        columns += [
            Column(side, title, style),
            Column(f"{side}_low", "95 % from", style),
            Column(f"{side}_high", "to", style),
        ]
    columns.append(Column("pairs", "Pairs", "count"))
    text = "SRCC of the untuned and the tuned model in parts of the held-out pairs."
    return ReportTable("parts", "Parts of the held-out pairs", columns, rows, text, places)


def _calibration_table(report: ReportOfRun) -> ReportTable:
    rows = [
        [one.low_score, one.high_score, one.score, one.human, one.human_low, one.human_high, one.n]
        for one in report.bins
    ]
    names = ("low", "high", "score", "human.value", "human.low", "human.high", "human.n")
    places = [[f"calibration.bins.{number}.{name}" for name in names] for number in range(len(rows))]
    columns = [
        Column("from_score", "Score from"),
        Column("to_score", "to"),
        Column("score", "Mean score"),
        Column("people", "People’s mean"),
        *_INTERVAL,
        Column("pairs", "Pairs", "count"),
    ]
    text = "People’s mean against the model’s mean score in bins of equally many pairs; the diagonal is a right score."
    return ReportTable("calibration", "Calibration", columns, rows, text, places)


def _scatter_table(points: list[ScatterPoint]) -> ReportTable:
    """For the picture and the CSV alone: the page draws it, and a list has every pair."""
    rows: list[list[Cell]] = [
        [
            str(one.pair_uuid),
            one.caption,
            one.system,
            one.human_mean,
            one.n_ratings,
            one.tuned_score,
            one.tuned_cosine,
            one.base_cosine,
        ]
        for one in points
    ]
    columns = [
        Column("pair_uuid", "Pair", "text"),
        Column("caption", "Caption", "text"),
        Column("system", "System", "text"),
        Column("people", "People’s mean"),
        Column("ratings", "Ratings", "count"),
        Column("score", "Score"),
        Column("tuned_cosine", "Tuned cosine"),
        Column("untuned_cosine", "Untuned cosine"),
    ]
    text = f"The tuned model’s cosine against people’s mean, {len(rows):,} held-out pairs."
    return ReportTable("scatter", "Held-out pairs", columns, rows, text, [])


def _curve_table(forecast: LearningForecast | None, runs: list[CurveRun]) -> ReportTable:
    rows: list[list[Cell]] = [["run", one.n_ratings, one.srcc.value, one.srcc.low, one.srcc.high] for one in runs]
    names = ("n_ratings", "srcc.value", "srcc.low", "srcc.high")
    places = [["", *(f"learning_curve.runs.{number}.{name}" for name in names)] for number in range(len(runs))]
    for number, point in enumerate(forecast.points.all() if forecast else ()):
        rows.append(["curve", point.n_ratings, point.srcc, point.low, point.high])
        places.append(["", *(f"learning_curve.line.{number}.{name}" for name in names)])
    columns = [
        Column("what", "What", "text"),
        Column("ratings", "Ratings", "count"),
        Column("srcc", "Held-out SRCC"),
        *_INTERVAL,
    ]
    text = "Held-out SRCC of each run against the ratings it had"
    text += ", with the fitted curve." if len(rows) > len(runs) else "."
    return ReportTable("curve", "Learning curve", columns, rows, text, places)


def wrong_table(rows: list[Prediction]) -> ReportTable:
    """Where people agree and the model is wrong, the worst first."""
    names = ("human_mean", "tuned_score", "certain_gap", "n_ratings", "rating_sd")
    cells: list[list[Cell]] = [[row.pair.caption.text, *(getattr(row, name) for name in names)] for row in rows]
    places = [["", *(f"wrong.pairs.{number}.{name}" for name in names)] for number in range(len(rows))]
    columns = [
        Column("caption", "Caption", "text"),
        Column("people", "People"),
        Column("score", "Score"),
        Column("gap", "Wrong by at least"),
        Column("ratings", "Ratings", "count"),
        Column("sd", "Their spread (SD)"),
    ]
    return ReportTable("wrong", "Where people agree and the model is wrong", columns, cells, "", places)
