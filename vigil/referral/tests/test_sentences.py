"""Every error code of the two rooms has its sentence, in both languages."""

from __future__ import annotations

import inspect

import pytest
from django.utils import translation

from vigil.core.errors import VigilError
from vigil.oversight import errors as oversight_errors
from vigil.oversight.sentences import SENTENCES as OVERSIGHT
from vigil.referral import errors as referral_errors
from vigil.referral.sentences import SENTENCES as REFERRAL


@pytest.mark.parametrize(("module", "sentences"), [(referral_errors, REFERRAL), (oversight_errors, OVERSIGHT)])
def test_every_code_has_a_sentence_in_both_languages(module, sentences):
    codes = {
        each.code
        for _name, each in inspect.getmembers(module, inspect.isclass)
        if issubclass(each, VigilError) and each.__module__ == module.__name__
    }
    assert codes == set(sentences)
    for sentence in sentences.values():
        with translation.override("en"):
            english = str(sentence)
        with translation.override("fr"):
            assert str(sentence) != english
