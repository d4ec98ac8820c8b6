import json
import logging

import pytest

from vigil.core import logs


@pytest.fixture(autouse=True)
def configured(capsys):
    handlers, level = logging.getLogger().handlers, logging.getLogger().level
    logs.configure()
    yield
    logging.getLogger().handlers, logging.getLogger().level = handlers, level


def _lines(capsys):
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_only_listed_keys_are_written_and_the_others_counted(capsys):
    logs.log.info("tried", code="a.code", count=3, url="http://planted.example/x", words="planted words")
    (line,) = _lines(capsys)
    assert (line["event"], line["code"], line["count"]) == ("tried", "a.code", 3)
    assert "planted" not in json.dumps(line)
    assert logs.dropped["url"] >= 1 and logs.dropped["words"] >= 1


def test_what_a_library_says_becomes_its_name_and_level_without_its_words(capsys):
    try:
        raise ValueError("planted value")
    except ValueError:
        logging.getLogger("some.library").exception("planted text %s", "http://planted.example/y")
    logging.getLogger("some.library").info("planted, and below the level")
    (line,) = _lines(capsys)
    assert (line["kind"], line["code"], line["error"]) == ("some.library", "ERROR", "ValueError")
    assert "planted" not in json.dumps(line)
