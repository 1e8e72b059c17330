"""What the rater's templates say in the language of the page."""

from django import template
from django.conf import settings
from django.utils.html import json_script
from django.utils.translation import get_language

from listening_tests.default_texts import as_shown
from listening_tests.script_words import script_words

register = template.Library()
register.filter("as_shown", as_shown)


@register.simple_tag
def languages_offered() -> list[tuple[str, str]]:
    """Code and name of each. Django's own tag would put the names, too, into the language of the page."""
    return list(settings.LANGUAGES)


@register.simple_tag
def words_for_scripts() -> str:
    """The catalogue that rater/words.js reads; nothing where the page speaks English."""
    words = script_words(get_language() or "en")
    return json_script(words, "words") if words else ""
