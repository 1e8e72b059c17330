"""A linear mixed model as a second opinion on the systems, where it is small enough to solve.

score = system + rater + caption + pair + residual, the last four random and crossed, by restricted maximum likelihood
(statsmodels). The solver handles matrices as wide as there are raters, captions and pairs, so that its time grows with
their cube; above the limits below it is not tried.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
from statsmodels.regression.mixed_linear_model import MixedLM

from modeling.metrics import MetricValue
from modeling.study_results.answers import Scores

MOST_LEVELS, MOST_RATINGS = 150, 1_000
UNSETTLED = "The mixed model did not settle on these ratings."
_Z = 1.959963984540054


@dataclass(frozen=True)
class ModelledDifference:
    """`system` minus the `reference`, with a Wald interval, in points of the scale."""

    system: str
    difference: MetricValue
    p: float


@dataclass(frozen=True)
class MixedModel:
    """`note` says why there are no numbers, or what to know of them. `reference` is the first system by name."""

    note: str
    reference: str = ""
    differences: tuple[ModelledDifference, ...] = ()
    variances: dict[str, float] | None = None


def mixed_model(scores: Scores) -> MixedModel:
    levels = scores.n_raters + scores.n_captions + scores.n_pairs
    if len(scores.systems) < 2 or min(scores.n_raters, scores.n_captions) < 2:
        return MixedModel("A mixed model needs two systems, two raters and two captions.")
    if levels > MOST_LEVELS or len(scores) > MOST_RATINGS:
        return MixedModel(
            f"No mixed model was fitted: {levels:,} raters, captions and pairs and {len(scores):,} ratings are more "
            f"than the {MOST_LEVELS} and {MOST_RATINGS:,} that are solved in seconds. The two-way bootstrap above has "
            "no such limit."
        )
    return _fitted(scores)


def _fitted(scores: Scores) -> MixedModel:
    columns = {"score": scores.score, "rater": scores.rater, "pair": scores.pair}
    table = pd.DataFrame(columns | {"caption": scores.caption[scores.pair], "system": scores.system[scores.pair]})
    # Everything is one group, so that raters and captions may cross.
    parts = {name: f"0 + C({name})" for name in ("rater", "caption", "pair")}
    model = MixedLM.from_formula(
        "score ~ C(system)", table, groups=np.zeros(len(table)), re_formula="0", vc_formula=parts
    )
    with warnings.catch_warnings():
        # A variance at its bound, 0, is told in the note.
        warnings.simplefilter("ignore")
        try:
            fit = model.fit(reml=True)
            effects, errors = np.asarray(fit.fe_params), np.asarray(fit.bse_fe)
        except (np.linalg.LinAlgError, ValueError):
            return MixedModel(UNSETTLED)
    if not (fit.converged and np.isfinite(effects).all() and np.isfinite(errors).all()):
        return MixedModel(UNSETTLED)
    variances = dict(zip(model.exog_vc.names, (float(value) for value in fit.vcomp), strict=True))
    variances["residual"] = float(fit.scale)
    nothing = [name for name, value in variances.items() if value < 1e-4 * sum(variances.values())]
    note = (
        f"The variance of {' and '.join(nothing)} is at its bound, 0: read the intervals with care." if nothing else ""
    )
    found = []
    for number, system in enumerate(scores.systems[1:], start=1):
        value, error = float(effects[number]), float(errors[number])
        estimate = MetricValue(value, value - _Z * error, value + _Z * error, len(scores))
        found.append(ModelledDifference(system, estimate, float(np.asarray(fit.pvalues)[number])))
    return MixedModel(note, scores.systems[0], tuple(found), variances)
