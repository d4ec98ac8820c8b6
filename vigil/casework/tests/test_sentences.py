"""Every error of this room has its own sentence, in both languages, and every code that pages show has words."""

from __future__ import annotations

import inspect

import pytest
from django.utils import translation

from vigil.casework import errors, sentences, triage, words
from vigil.casework.forms import SENTENCES as FIELD_SENTENCES
from vigil.casework.models import DECISIONS, STEPS
from vigil.core.errors import VigilError
from vigil.crawl.fetch.outcomes import Outcome
from vigil.lists.models import Assessment, Entry
from vigil.lists.services import CLASSIFICATIONS
from vigil.web.errors import SENTENCES as SENTENCES_OF_STATUS
from vigil.web.errors import sentence_of, status_of

ERRORS = [
    error
    for _name, error in inspect.getmembers(errors, inspect.isclass)
    if issubclass(error, VigilError) and error.__module__ == errors.__name__
]
TABLES = {
    "situations": (words.SITUATIONS, triage.SITUATIONS),
    "decisions": (words.DECISIONS, DECISIONS),
    "reasons": (words.REASONS, DECISIONS),
    "steps": (words.STEPS, STEPS),
    "outcomes": (words.OUTCOMES, [outcome.value for outcome in Outcome]),
    "entry states": (words.ENTRY_STATES, Entry.State.values),
    "verdicts": (words.VERDICTS, Assessment.Verdict.values),
    "classifications": (words.CLASSIFICATIONS, CLASSIFICATIONS),
}


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.code)
def test_every_error_says_something_of_its_own_in_both_languages(error):
    status = status_of(error.__new__(error))
    said = {}
    for language in ("en", "fr"):
        with translation.override(language):
            said[language] = sentence_of(status, error.code)
            assert said[language] != str(SENTENCES_OF_STATUS[status])
    assert said["en"] != said["fr"]


def test_no_code_is_used_twice_and_no_sentence_is_left_over():
    assert len({error.code for error in ERRORS}) == len(ERRORS)
    assert set(sentences.SENTENCES) == {error.code for error in ERRORS}


@pytest.mark.parametrize("table", TABLES)
def test_every_code_has_words(table):
    known, codes = TABLES[table]
    assert set(codes) <= set(known)


def test_words_differ_between_the_languages():
    """A sentence that is the same in both was forgotten, apart from words that French and English share."""
    same = set()
    tables = [table for table, _codes in TABLES.values() if table is not words.REASONS]
    for table in (*tables, *words.REASONS.values(), words.ANSWERS, words.WITHDRAWALS, FIELD_SENTENCES):
        for code, text in table.items():
            with translation.override("en"):
                english = str(text)
            with translation.override("fr"):
                if str(text) == english:
                    same.add(code)
    assert same == set()
