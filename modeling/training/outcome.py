"""What tuning comes to, by weights or by a head, before it is measured and published."""

from __future__ import annotations

from dataclasses import dataclass

from modeling.heads import Head
from modeling.metrics import Floats
from modeling.scoring import Calibration


@dataclass(frozen=True)
class Outcome:
    """Every pair before and after, on a cosine's scale.

    `base` is the untuned cosine. `tuned` is what is judged: the tuned cosine, or a tenth of the `head`'s score.
    `calibration` turns it into a score on 0..10. `is_untuned` where no epoch was better than the untuned weights.
    """

    base: Floats
    tuned: Floats
    calibration: Calibration
    head: Head | None = None
    epochs_run: int = 0
    is_untuned: bool = False
