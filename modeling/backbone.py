"""What scores a clip against a caption: any pair of encoders whose embeddings' cosine says how well they match.

`modeling.model.Clap` is one. Another is named by `--model module:factory`: a function without arguments, of a module
that Python can import, which returns an object like this. It is your own code, and it is run.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from modeling.audio import Samples

Embeddings = npt.NDArray[np.floating[Any]]


class Backbone(Protocol):
    """Two encoders into one space. `name` is what a report calls them, `note` what its reader must know.

    An embedding must depend on its clip or caption alone, never on what is encoded beside it.
    """

    name: str
    note: str

    @property
    def sample_rate(self) -> int:
        """Hz; clips come as mono at this rate."""

    def fingerprint(self) -> str:
        """Names weights and settings: two with the same fingerprint give the same embeddings, which are kept by it.

        Blank keeps nothing.
        """

    def encode_audio(self, clips: Sequence[Samples]) -> Embeddings:
        """Embeddings, shape (clips, dim), of clips of 0.1 to 60 s, float32. Their length does not matter."""

    def encode_text(self, captions: Sequence[str]) -> Embeddings:
        """Embeddings, shape (captions, dim), of texts in any script, blank ones too."""
