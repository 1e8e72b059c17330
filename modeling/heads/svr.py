"""svr: support vector regression with an RBF kernel on what is told of a pair.

Source: EnsembleSVR (Snehitc/EnsembleSVR-XACLE), the best of the first XACLE challenge: standardised features, targets
on -1..1, C = .6, epsilon = .08, gamma = 1 / (features x their variance). Our reading: these constants are where a
search starts, one constant after the other, by the squared error in cross-validation over captions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
from sklearn.metrics.pairwise import euclidean_distances
from sklearn.model_selection import GroupKFold
from sklearn.svm import SVR

from modeling.heads.examples import Examples, centre_and_spread, pair_features
from modeling.metrics import Floats

FOLDS = 4
CACHE_MB = 1_000


@dataclass(frozen=True)
class Constants:
    """What the regression is told; `gamma` is in units of 1 / (features x their variance)."""

    c: float = 0.6
    epsilon: float = 0.08
    gamma: float = 1.0


GAMMAS, CS, EPSILONS = (0.1, 0.3, 3.0), (0.2, 2.0), (0.02, 0.2)


@dataclass(frozen=True)
class Svr:
    """sum_i coefficient_i exp(-gamma |x - vector_i|^2) + intercept, with x the standardised features."""

    mean: Floats
    spread: Floats
    vectors: Floats
    coefficients: Floats
    intercept: Floats
    gamma: Floats

    @property
    def dim(self) -> int | None:
        return (len(self.mean) - 1) // 4

    def predict(self, sound: Floats, text: Floats) -> float:
        told = (pair_features(sound, text) - self.mean) / self.spread
        # Expanded, so that the vectors, which may be many megabytes, are read once.
        squares = self._lengths - 2 * (self.vectors @ told) + told @ told
        return float(self.coefficients @ np.exp(-self.gamma * squares) + self.intercept)

    @cached_property
    def _lengths(self) -> Floats:
        return np.asarray((self.vectors**2).sum(axis=1))


def fit_svr(train: Examples, tick: Callable[[], None]) -> Svr:
    """The regression with the constants that `choose` finds. `tick` is called once a fit."""
    mean, spread = centre_and_spread(train.features)
    told, target = (train.features - mean) / spread, train.target / 5 - 1
    # Standardised, the features' variance is 1, but for those that are constant.
    unit = 1 / (told.shape[1] * told.var())
    squares = euclidean_distances(told, squared=True)
    constants = choose(squares * unit, target, train.captions, tick)
    fitted = _regression(constants).fit(np.exp(-constants.gamma * unit * squares), target)
    return Svr(
        mean,
        spread,
        vectors=told[fitted.support_],
        # Back from -1..1 to 0..10.
        coefficients=5 * fitted.dual_coef_[0],
        intercept=np.array(5 * (fitted.intercept_[0] + 1)),
        gamma=np.array(constants.gamma * unit),
    )


def choose(squares: Floats, target: Floats, captions: tuple[str, ...], tick: Callable[[], None]) -> Constants:
    """The constants of least squared error in cross-validation that keeps a caption's pairs together.

    `squares` are squared distances in units of `Constants.gamma`, shape (n, n). The published constants where there are
    not two captions.
    """
    best = Constants()
    if len(set(captions)) < 2:
        return best
    _, group = np.unique(captions, return_inverse=True)
    folds = list(GroupKFold(min(FOLDS, int(group.max()) + 1)).split(squares, groups=group))
    least = _error(best, squares, target, folds, tick)
    for name, values in (("gamma", GAMMAS), ("c", CS), ("epsilon", EPSILONS)):
        start = best
        for value in values:
            tried = replace(start, **{name: value})
            found = _error(tried, squares, target, folds, tick)
            if found < least:
                best, least = tried, found
    return best


def _error(
    constants: Constants,
    squares: Floats,
    target: Floats,
    folds: list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]],
    tick: Callable[[], None],
) -> float:
    kernel = np.exp(-constants.gamma * squares)
    total = 0.0
    for learned, asked in folds:
        fitted = _regression(constants).fit(kernel[np.ix_(learned, learned)], target[learned])
        total += float(((fitted.predict(kernel[np.ix_(asked, learned)]) - target[asked]) ** 2).sum())
        tick()
    return total / len(target)


def _regression(constants: Constants) -> SVR:
    return SVR(kernel="precomputed", C=constants.c, epsilon=constants.epsilon, cache_size=CACHE_MB)
