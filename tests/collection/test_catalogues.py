"""The catalogues hold what the sources say, all of it, and are compiled: without GNU gettext."""

import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from django.template.base import Lexer, TokenType

from deploy.catalogues import LOCALE, ROOT, SOURCES, compiled, extracted, faults, read

CATALOGUES = sorted(LOCALE.glob("*/LC_MESSAGES/*.po"))
TEMPLATES = sorted({path for pattern in SOURCES["django"] if pattern.endswith(".html") for path in ROOT.glob(pattern)})
NAME = "Earmark"
MARKS = ("blocktranslate", "comment")


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_japanese_is_there() -> None:
    assert {path.stem for path in CATALOGUES if path.parts[-3] == "ja"} == set(SOURCES)


@pytest.mark.parametrize("path", CATALOGUES, ids=name)
class TestCatalogue:
    def test_it_says_everything(self, path: Path) -> None:
        assert list(faults(read(path, path.stem), extracted(path.stem))) == []

    def test_it_is_compiled(self, path: Path) -> None:
        """Where this fails, run: python deploy/catalogues.py"""
        assert path.with_suffix(".mo").read_bytes() == compiled(read(path, path.stem))


def test_a_compiled_catalogue_comes_with_its_source() -> None:
    assert [path for path in LOCALE.rglob("*.mo") if not path.with_suffix(".po").exists()] == []


@pytest.mark.parametrize("path", TEMPLATES, ids=name)
def test_every_word_of_a_template_is_marked(path: Path) -> None:
    assert unmarked(path.read_text()) == []


def test_unmarked_words_are_found() -> None:
    page = '<p class="a">{% translate "Yes" %} No</p>{% blocktranslate %}Well{% endblocktranslate %}<b aria-label="So">'
    assert unmarked(page) == ["So", "No"]


# What a template puts into a class of the frame.
CLASSES = re.compile(r"{% block page_class %}.*?{% endblock %}")


def unmarked(source: str) -> list[str]:
    """Words of a template's own, outside of tags and between the marks; and those of attributes that are read out."""
    source = CLASSES.sub("", source)
    text, is_marked = "", False
    for token in Lexer(source).tokenize():
        word = token.contents.split()[0] if token.token_type == TokenType.BLOCK else ""
        is_marked = word in MARKS or (is_marked and word.removeprefix("end") not in MARKS)
        if token.token_type == TokenType.TEXT and not is_marked:
            text += token.contents
    spoken = re.findall(r'(?:aria-label|title|alt|placeholder)="([^"]*[A-Za-z][^"]*)"', text)
    words = [*spoken, *re.findall(r"[A-Za-z]{2,}", re.sub(r"<[^>]*>|&\w+;", " ", text))]
    return [word for word in words if word != NAME]


class TestFaults:
    def fault_of(self, said: str | tuple[str, ...], *, fuzzy: bool = False, id: str | tuple[str, str]) -> list[str]:
        sources, catalog = Catalog(), Catalog("ar" if isinstance(said, tuple) else "ja")
        sources.add(id)
        catalog.add(id, said, flags=["fuzzy"] if fuzzy else [])
        return [fault.split(" '")[0].split(" (")[0] for fault in faults(catalog, sources)]

    def test_none(self) -> None:
        assert self.fault_of("%(n)s個の<b>音</b>", id="%(n)s <b>sounds</b>") == []

    def test_missing(self) -> None:
        sources = Catalog()
        sources.add("A sound")
        assert list(faults(Catalog("ja"), sources)) == ["It does not say 'A sound'."]

    def test_empty(self) -> None:
        assert self.fault_of("", id="A sound") == ["It does not say"]

    def test_a_form_of_a_plural_is_empty(self) -> None:
        assert self.fault_of(("x", "x", "", "x", "x", "x"), id=("sound", "sounds")) == ["It does not say"]

    def test_fuzzy(self) -> None:
        assert self.fault_of("音", fuzzy=True, id="A sound") == ["It is not sure of"]

    @pytest.mark.parametrize("said", ["音", "%(m)s個の音", "%(n)s個の<b>音"])
    def test_other_places_or_tags(self, said: str) -> None:
        assert self.fault_of(said, id="%(n)s sounds") == ["It has other places or tags than"]

    def test_a_number_may_be_left_out_where_english_does(self) -> None:
        forms = ("%(n)s x", "x", "%(n)s x", "%(n)s x", "%(n)s x", "%(n)s x")
        assert self.fault_of(forms, id=("A sound", "%(n)s sounds")) == []
        assert self.fault_of((*forms[:5], "x"), id=("A sound", "%(n)s sounds")) == ["It has other places or tags than"]
