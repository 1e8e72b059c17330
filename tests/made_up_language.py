"""A third language, made up of what the sources say: every letter becomes an Arabic one, and tags and places stay.

So whatever a page still says in Latin letters is in no catalogue.
"""

import re
from pathlib import Path

from deploy.catalogues import SOURCES, compiled, extracted, read

LANGUAGE, NAME = "ar", "العربيّة"
_LETTERS = dict(zip("abcdefghijklmnopqrstuvwxyz", "ابجدهوزحطيكلمنسعفصقرشتثخذض", strict=True))


def as_made_up(text: str) -> str:
    parts = re.split(r"(%\(\w+\)s|<[^>]+>)", text)
    return "".join(part if index % 2 else _letters(part) for index, part in enumerate(parts))


def _letters(text: str) -> str:
    return "".join(_LETTERS.get(letter.lower(), letter) for letter in text)


def catalogue_write(folder: Path, *, domains: tuple[str, ...] = tuple(SOURCES)) -> None:
    """Compiled catalogues below `folder`, and nothing else, as somebody would hand them in."""
    for domain in domains:
        path = folder / LANGUAGE / "LC_MESSAGES" / f"{domain}.mo"
        path.parent.mkdir(parents=True, exist_ok=True)
        catalog = read(path.with_suffix(".po"), domain)
        catalog.update(extracted(domain))
        for message in catalog:
            if message.id:
                message.string = _said(message.id, catalog.num_plurals)
        path.write_bytes(compiled(catalog))


def _said(texts: str | tuple[str, str], n_forms: int) -> str | tuple[str, ...]:
    """A plural in as many forms as the language has; which one it is stands behind it."""
    if isinstance(texts, str):
        return as_made_up(texts)
    return tuple(f"{as_made_up(texts[1])} [{form}]" for form in range(n_forms))
