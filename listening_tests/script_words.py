"""The sentences of the pages' scripts, which travel in the page itself: nothing of them fails when the network does."""

from functools import lru_cache
from gettext import c2py
from typing import Any

from django.conf import settings
from django.utils.translation.trans_real import DjangoTranslation
from django.views.i18n import JavaScriptCatalog

# The rule for plurals is told as a table, since no page evaluates an expression. No language looks further than at the
# last two digits, but for small numbers, and for whole millions, of which nothing here is counted.
TABLE_LENGTH = 200


def script_words(language: str) -> dict[str, Any]:
    """`messages` by their English text, and in `plural` the form that each number takes; empty for English."""
    return _read(language, tuple(map(str, settings.LOCALE_PATHS)))


@lru_cache
def _read(language: str, folders: tuple[str, ...]) -> dict[str, Any]:
    """`folders` are where Django looks in any case: they stand here so that other folders are read anew."""
    catalogue = JavaScriptCatalog()
    catalogue.translation = DjangoTranslation(language, domain="djangojs", localedirs=list(folders))
    messages = catalogue.get_catalog()
    if not messages:
        return {}
    form_of = c2py(str(catalogue.get_plural() or "n != 1"))
    return {"messages": messages, "plural": "".join(str(form_of(number)) for number in range(TABLE_LENGTH))}
