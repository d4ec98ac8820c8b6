"""Every error has a stable code of its own, and every code that a page can show has words in both languages."""

import ast
import importlib
import pkgutil
import re
from functools import cache
from html import unescape
from pathlib import Path

import pytest
from django.template.loader import render_to_string
from django.utils import translation

import vigil
from vigil.core import errors as families
from vigil.core.errors import VigilError
from vigil.web import errors as web_errors

PROJECT = Path(__file__).resolve().parents[2]
LIST = Path(__file__).with_name("error_codes.txt")
CODE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
FAMILIES = (families.NotFound, families.NotPermitted, families.Invalid, families.Conflict, families.Unavailable)
# Given by pages themselves and not by an error.
CODES_OF_PAGES = {"web.form_expired", "web.cross_site", "database.unavailable", "intake.not_taken"}
LANGUAGES = ("en", "fr")


def module_names():
    """Every module of the product: not its tests, migrations and URL maps."""
    for found in pkgutil.walk_packages(vigil.__path__, "vigil."):
        if not {"tests", "migrations", "urls", "wsgi", "canaries"} & set(found.name.split(".")):
            yield found.name


@cache
def errors():
    """Every error class of the product, by walking all of its modules."""
    for name in module_names():
        importlib.import_module(name)

    def below(cls):
        for sub in cls.__subclasses__():
            if sub.__module__.startswith("vigil.") and ".tests" not in sub.__module__:
                yield sub
            yield from below(sub)

    return sorted(set(below(VigilError)), key=lambda cls: (cls.__module__, cls.__name__))


@cache
def trees():
    """The parsed source of every module."""
    return [ast.parse(Path(importlib.import_module(name).__file__).read_text()) for name in module_names()]


def class_of(name):
    return next((cls for cls in errors() if cls.__name__ == name), None)


@cache
def codes_of_instances():
    """(code, error class) wherever an error is raised with a more precise code than its class has."""
    found = set()
    for tree in trees():
        for call in ast.walk(tree):
            if not (isinstance(call, ast.Call) and (cls := class_of(getattr(call.func, "id", "")))):
                continue
            for keyword in call.keywords:
                if keyword.arg == "code" and isinstance(keyword.value, ast.Constant):
                    found.add((keyword.value.value, cls))
    return frozenset(found)


def family_of(cls):
    return next(family for family in FAMILIES if issubclass(cls, family))


def all_codes():
    """code -> status that a page would have."""
    of_classes = {cls.code: web_errors.STATUS_OF_FAMILY[family_of(cls)] for cls in errors()}
    of_instances = {code: web_errors.STATUS_OF_FAMILY[family_of(cls)] for code, cls in codes_of_instances()}
    return of_instances | of_classes


def test_every_error_belongs_to_one_family():
    assert [cls.__name__ for cls in errors() if sum(issubclass(cls, family) for family in FAMILIES) != 1] == []


def test_every_error_class_has_a_code_of_its_own():
    assert [f"{cls.__module__}.{cls.__name__}" for cls in errors() if "code" not in vars(cls)] == []
    own = [cls for cls in errors() if cls not in FAMILIES]
    assert [f"{cls.__name__}: {cls.code}" for cls in own if not CODE.fullmatch(cls.code)] == []
    assert [code for code, _ in codes_of_instances() if not CODE.fullmatch(code)] == []


def test_no_two_errors_share_a_code():
    by_code = {}
    for cls in errors():
        by_code.setdefault(cls.code, []).append(f"{cls.__module__}.{cls.__name__}")
    assert {code: classes for code, classes in by_code.items() if len(classes) > 1} == {}


def test_one_code_means_one_family_wherever_it_is_raised():
    of_class = {cls.code: family_of(cls) for cls in errors()}
    statuses = {}
    for code, cls in codes_of_instances():
        statuses.setdefault(code, {of_class.get(code, family_of(cls))}).add(family_of(cls))
    assert {code: found for code, found in statuses.items() if len(found) > 1} == {}


def test_the_published_codes_are_the_listed_ones():
    """A published code is never renamed: add a new line for a new one, and never take a line away."""
    listed = LIST.read_text().split()
    assert listed == sorted(listed)
    assert sorted(set(all_codes()) | CODES_OF_PAGES | codes_of_fields()) == listed


def test_every_code_that_a_page_gives_itself_has_a_sentence():
    assert set(web_errors._SENTENCE_OF_CODE) >= CODES_OF_PAGES


def test_every_sentence_belongs_to_a_code():
    assert set(web_errors._SENTENCE_OF_CODE) - set(all_codes()) - CODES_OF_PAGES - codes_of_fields() == set()


@cache
def codes_of_fields():
    """Codes that name what is wrong with one field: `Invalid(fields={"number": "number.unreadable"})`."""
    found = set()
    for tree in trees():
        for call in ast.walk(tree):
            if isinstance(call, ast.keyword) and call.arg == "fields":
                found |= {
                    node.value
                    for node in ast.walk(call.value)
                    if isinstance(node, ast.Constant) and isinstance(node.value, str) and CODE.fullmatch(node.value)
                }
    return frozenset(found)


def words_of(status, code, language):
    with translation.override(language):
        return web_errors.title_of(status), web_errors.sentence_of(status, code)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_is_a_page_with_a_title_and_a_sentence(language):
    for code, status in all_codes().items():
        title, sentence = words_of(status, code, language)
        assert title.strip() and len(sentence) > 10, code
        with translation.override(language):
            page = render_to_string(
                "web/error.html", {"status": status, "code": code, "title": title, "sentence": sentence}
            )
        assert code in page and sentence in unescape(page), code


def test_no_sentence_is_the_same_in_english_and_french():
    same = [
        code
        for code, status in (*all_codes().items(), *[(code, 400) for code in CODES_OF_PAGES], ("", 500))
        for english, french in zip(words_of(status, code, "en"), words_of(status, code, "fr"), strict=True)
        if english == french
    ]
    assert same == []


def test_every_family_has_a_status_a_title_and_a_sentence():
    assert set(web_errors.STATUS_OF_FAMILY) == set(FAMILIES)
    assert set(web_errors.TITLES) == set(web_errors.SENTENCES) == {*web_errors.STATUS_OF_FAMILY.values(), 500}
