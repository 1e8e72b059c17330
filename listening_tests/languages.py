"""The languages that raters can read Earmark in: English, which the sources speak, and every catalogue there is.

The settings ask here, before Django is set up: so this reads file names and Django's list of languages, no more.
"""

from collections.abc import Iterable
from pathlib import Path

from django.conf.locale import LANG_INFO
from django.utils.translation import to_language

ENGLISH = ("en", "English")


def languages_found(folders: Iterable[Path]) -> list[tuple[str, str]]:
    """Code and name, each in its own language, of English and of every compiled catalogue below `folders`."""
    catalogues = (found for folder in folders for found in folder.glob("*/LC_MESSAGES/django.mo"))
    codes = {to_language(catalogue.parts[-3]) for catalogue in catalogues}
    return [ENGLISH, *((code, _own_name(code)) for code in sorted(codes - {ENGLISH[0]}))]


def _own_name(code: str) -> str:
    """A language that Django has no name for goes by its code."""
    known = LANG_INFO.get(code, {})
    return str(known.get("name_local") or LANG_INFO.get(code.split("-")[0], {}).get("name_local") or code)
