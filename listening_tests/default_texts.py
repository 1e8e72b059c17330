"""Texts that a new test begins with: stored in English like a researcher's own, and shown in the rater's language.

Only these are looked up. What a researcher wrote is shown as it was written, also where it happens to say the same as
some button of ours; and an empty text stays empty, while gettext would answer it with the catalogue's header.
"""

from django.utils.translation import gettext

_KNOWN: set[str] = set()


def default_text(text: str) -> str:
    """`text` itself, which is from now on known. Catalogues are made of what is marked by this name."""
    _KNOWN.add(text)
    return text


def as_shown(text: str) -> str:
    """A stored text as a rater reads it."""
    return gettext(text) if text in _KNOWN else text


# Made by the worker, and shown by a process that does not load it.
DEMO_INSTRUCTIONS = default_text(
    "The sounds of this demo are generated, and its earlier raters are simulated. For each sound, read the caption and "
    "say how well it describes what you hear."
)
