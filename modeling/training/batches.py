"""Which pairs make a batch, in which order."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.int64]


def epoch_batches(train_pairs: Numbers, clip: Numbers, batch_size: int, seed: int, epoch: int) -> Sequence[Numbers]:
    """The epoch's batches, of almost equal size, in an order that depends on seed and epoch alone.

    `clip` numbers the clip of every pair of the set. Clips are shuffled, and the pairs of one clip stay together, so
    that it goes through its tower once, not once for each of its captions. That takes nothing from a batch but other
    clips: captions meet as they come, and pairs of one clip are no negatives of each other in any loss. Where each clip
    has one pair the order is a plain shuffle of pairs.
    """
    rng = np.random.default_rng([seed, epoch])
    shuffled = rng.permutation(train_pairs)
    _, first, group = np.unique(clip[shuffled], return_index=True, return_inverse=True)
    together = shuffled[np.argsort(first[group], kind="stable")]
    return np.array_split(together, n_batches(len(train_pairs), batch_size))


def n_batches(n_pairs: int, batch_size: int) -> int:
    return math.ceil(n_pairs / batch_size)
