"""Text of others in a Markdown file: shown as it is, never read as Markdown, HTML or the end of the front matter."""

from __future__ import annotations

import re
import unicodedata

LONGEST = 1000
# What means something anywhere in a line; a link that is only written down is one too.
_MARKS = re.compile(r"([\\`*_{}\[\]#|~$@]|:(?=//)|(?<=www)\.)", re.IGNORECASE)
_HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def one_line(text: str) -> str:
    """The text on one line: what is no character of a line (controls, lone surrogates, directions) becomes a space."""
    seen = "".join(" " if unicodedata.category(sign)[0] in "CZ" else sign for sign in text)
    folded = " ".join(seen.split())
    return folded if len(folded) <= LONGEST else f"{folded[:LONGEST]}…"


def in_markdown(text: str) -> str:
    """One line with every mark of Markdown and HTML escaped, for the middle of a line or the cell of a table."""
    return _MARKS.sub(r"\\\1", "".join(_HTML.get(sign, sign) for sign in one_line(text)))
