"""Sound files: what they hold, how loud they are, and the file that raters hear. Knows no database.

`decoding` turns a file's bytes into samples or refuses them by name, `completeness` tells a file that was cut off
and `ogg_pages` one that was damaged, `loudness` measures, and `rendition` makes the loudness-normalised file.
"""

from listening_tests.audio.decoding import LONGEST_S, SHORTEST_S, AudioRefused, Decoded, decode
from listening_tests.audio.loudness import Loudness, measure
from listening_tests.audio.rendition import Rendition, render

__all__ = [
    "LONGEST_S",
    "SHORTEST_S",
    "AudioRefused",
    "Decoded",
    "Loudness",
    "Rendition",
    "decode",
    "measure",
    "render",
]
