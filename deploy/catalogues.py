"""The catalogues of what raters read: kept up with the sources, and compiled.

    python deploy/catalogues.py            every language that is there
    python deploy/catalogues.py ar pt_BR   and makes these, where they are new

Needs Babel of requirements-dev.txt, and no GNU gettext. docs/LANGUAGES.md tells how to translate.
"""

import re
import sys
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract, extract_python
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "listening_tests" / "locale"
# Where raters' sentences are, by the domain of the catalogue. What staff read is not marked, and so not found.
SOURCES = {
    "django": ["listening_tests/**/*.py", "webapp/**/*.py", "templates/*.html", "templates/rater/**/*.html"],
    "djangojs": ["listening_tests/static/rater/**/*.js"],
}
KEYWORDS: dict[str, Any] = {
    **dict.fromkeys(["_", "gettext", "gettext_lazy", "gettext_noop", "default_text"]),
    **dict.fromkeys(["ngettext", "ngettext_lazy"], (1, 2)),
    **dict.fromkeys(["pgettext", "pgettext_lazy"], ((1, "c"), 2)),
    "npgettext": ((1, "c"), 2, 3),
}
# Comments that begin so are for who translates.
TRANSLATORS = "Translators:"
NAMES: dict[str, Any] = {
    "project": "Earmark",
    "version": "1",
    "msgid_bugs_address": "",
    "last_translator": "Earmark",
    "language_team": "Earmark",
}


def extract_template(file: BytesIO, keywords: Any, comment_tags: Any, options: Any) -> Iterable[Any]:
    """The messages of a Django template: Django makes calls of its tags, which are then read as Python's."""
    # What is no call is blanked out, but for the indentation, which means nothing here.
    lines = map(str.strip, templatize(file.read().decode()).splitlines())
    return extract_python(BytesIO("\n".join(lines).encode()), keywords, comment_tags, options)


METHODS: dict[str, Any] = {".py": "python", ".js": "javascript", ".html": extract_template}


def extracted(domain: str) -> Catalog:
    """Every message that the sources hold now."""
    catalog = Catalog(domain=domain, fuzzy=False)
    paths = sorted({path for pattern in SOURCES[domain] for path in ROOT.glob(pattern)})
    for path in paths:
        with path.open("rb") as file:
            for _, said, comments, context in extract(METHODS[path.suffix], file, KEYWORDS, [TRANSLATORS]):
                catalog.add(said, locations=[(str(path.relative_to(ROOT)), 0)], auto_comments=comments, context=context)
    return catalog


def read(path: Path, domain: str) -> Catalog:
    """The catalogue in a .po file; an empty one for the language that its folder names, where there is none."""
    locale = path.parent.parent.name
    if not path.exists():
        return Catalog(locale, domain, header_comment=f"# Earmark in {locale}.", fuzzy=False, **NAMES)
    with path.open("rb") as file:
        return read_po(file, locale=locale, domain=domain)


def compiled(catalog: Catalog) -> bytes:
    stream = BytesIO()
    write_mo(stream, catalog)
    return stream.getvalue()


def faults(catalog: Catalog, sources: Catalog) -> Iterator[str]:
    """What keeps raters from reading a catalogue in its language, as sentences."""
    for wanted in sources:
        if not wanted.id:
            continue
        found = catalog.get(wanted.id, wanted.context)
        texts = _forms(found.string) if found else []
        if not texts or not all(texts):
            yield f"It does not say {wanted.id!r}."
        elif found is not None and found.fuzzy:
            yield f"It is not sure of {wanted.id!r}."
        elif found is not None and not _places_agree(found, texts):
            yield f"It has other places or tags than {wanted.id!r}."


def _forms(text: Any) -> list[str]:
    return [text] if isinstance(text, str) else list(text or [])


def _places(text: str) -> list[str]:
    """What a translation may not change: places for values, and tags."""
    return sorted(re.findall(r"%\(\w+\)s|</?\w[^>]*>", text))


def _places_agree(message: Message, texts: list[str]) -> bool:
    """Of plural forms the last has what the English plural has; others may leave out a number, as English may."""
    one, many = (_places(_forms(message.id)[index]) for index in (0, -1))
    return _places(texts[-1]) == many and all(_places(text) in (one, many) for text in texts)


def bring_up_to_date(locale: str) -> list[str]:
    """Writes a language's .po and .mo files anew; what is then still missing."""
    missing = []
    for domain in SOURCES:
        path = LOCALE / locale / "LC_MESSAGES" / f"{domain}.po"
        path.parent.mkdir(parents=True, exist_ok=True)
        catalog, sources = read(path, domain), extracted(domain)
        catalog.update(sources, update_creation_date=False)
        catalog.obsolete.clear()
        with path.open("wb") as file:
            write_po(file, catalog, width=110, include_lineno=False, sort_by_file=True)
        path.with_suffix(".mo").write_bytes(compiled(read(path, domain)))
        missing += [f"{locale}, {domain}.po: {fault}" for fault in faults(catalog, sources)]
    return missing


def main(new: list[str]) -> int:
    there = {path.name for path in LOCALE.iterdir() if path.is_dir()}
    missing = [fault for locale in sorted(there.union(new)) for fault in bring_up_to_date(locale)]
    sys.stdout.writelines(f"{fault}\n" for fault in missing)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
