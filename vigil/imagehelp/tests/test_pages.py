"""The pages, without scripts, as the public door's role."""

from __future__ import annotations

from vigil.imagehelp.tests.conftest import send


def test_a_whole_case_without_scripts(public):
    number, code = send(public)
    assert len(number.replace("-", "")) == 10 and len(code.replace("-", "")) == 16
