"""A generated world with known truth: scenes of sound events, captions, text-to-audio systems and simulated raters.

Everything here is simulated and says so wherever it is shown. `sounds` renders the kinds of events, `captions` puts a
scene in words, `systems` degrades recordings as text-to-audio systems do and says what relevance is left, `raters`
scores and compares pairs as people do, `world` puts them together. numpy and scipy only.
"""

from modeling.synthetic.raters import SimulatedComparison, SimulatedScore, simulate_comparisons, simulate_scores
from modeling.synthetic.sounds import SAMPLE_RATE
from modeling.synthetic.world import Stimulus, generate_world

__all__ = [
    "SAMPLE_RATE",
    "SimulatedComparison",
    "SimulatedScore",
    "Stimulus",
    "generate_world",
    "simulate_comparisons",
    "simulate_scores",
]
