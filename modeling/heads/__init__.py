"""Scores from frozen embeddings: a small head is fitted on what the towers say of a clip and a caption.

The systems of the first XACLE challenge that only put a head on frozen embeddings came within .03 of the best. A head
is written beside the weights, as numbers and plain text, and evaluated by numpy alone.
"""

from modeling.heads.examples import Examples
from modeling.heads.fitting import fit_head
from modeling.heads.head import Head
from modeling.heads.storing import HEAD, TENSORS, read_head, write_head

__all__ = ["HEAD", "TENSORS", "Examples", "Head", "fit_head", "read_head", "write_head"]
