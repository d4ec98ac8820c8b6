"""Every sample of docs/partners.md, in both languages, is what the doors take."""

import json
import re
import shlex
from email import message_from_string, policy
from pathlib import Path

import pytest
from django.test import Client

from vigil.accounts import cli
from vigil.cli import parser
from vigil.intake import api
from vigil.intake.api import ReportsIn, ReportsOut
from vigil.intake.wire.lines import CATEGORIES, Line, parse_list
from vigil.intake.wire.mail import read_mail

DOCS = Path(__file__).resolve().parents[3] / "docs"
PAGES = {"en": DOCS / "partners.md", "fr": DOCS / "partners.fr.md"}


def samples(language, kind):
    return re.findall(rf"```{kind}\n(.*?)```", PAGES[language].read_text(), re.S)


@pytest.fixture(params=["en", "fr"])
def language(request):
    return request.param


def test_the_lines_and_the_table_are_read(language):
    (lines, _mail), (table,) = samples(language, "text"), samples(language, "csv")
    found = parse_list(lines)
    assert [line.place for line in found] == [f"https://pictures.example/page/{n}" for n in ("7", "8", "9;part=2")]
    assert [line.situation for line in found] == ["shared_image", "seen_material", "threat"]
    assert [(line.situation, line.note) for line in parse_list(table)] == [
        ("shared_image", "seen by a teacher, twice"),
        ("seen_material", ""),
    ]


def test_the_categories_are_the_ones_that_are_understood(language):
    rows = re.findall(r"^\| `(\w+)`[^|]*\| ([^|]+) \|$", PAGES[language].read_text(), re.M)
    listed = {code: set(words.split(", ")) for code, words in rows if code in CATEGORIES}
    assert set(listed) == set(CATEGORIES)
    for code, words in listed.items():
        for word in words:
            (line,) = parse_list(f"https://pictures.example/a ; {word}")
            assert isinstance(line, Line) and line.situation == code


def test_the_mail_is_a_list_of_two(language):
    _lines, text = samples(language, "text")
    assert message_from_string(text, policy=policy.SMTP)["Message-ID"] == "<2026-11-24.1@maple.example>"
    read = read_mail(text.encode())
    assert read.is_list and [line.number for line in parse_list(read.text)] == [1, 2]


def test_the_commands_exist_and_work(language, owner, capsys):
    (commands, _curl) = samples(language, "sh")
    with owner():
        for command in commands.strip().splitlines():
            arguments = parser().parse_args(shlex.split(command)[1:])
            match arguments.what:
                case "add":
                    assert (
                        cli.run_partner_add(
                            arguments.code, name_en=arguments.name_en, name_fr=arguments.name_fr, kind=arguments.kind,
                            email=arguments.email, language=arguments.language,
                        )
                        == 0
                    )  # fmt: skip
                case "key":
                    assert cli.run_partner_key(arguments.code, name=arguments.name, scopes=arguments.scope) == 0
                    prefix = capsys.readouterr().out.split("_")[1]
                case "list":
                    assert cli.run_partner_list() == 0 and prefix in capsys.readouterr().out
                case "revoke":
                    assert cli.run_partner_revoke(prefix) == 0
                case "end":
                    assert cli.run_partner_end(arguments.code) == 0


def test_the_call_gets_the_answer_that_stands_there(language, owner, role, settings, capsys):
    settings.ROOT_URLCONF = "vigil.urls.wire"
    api.limiter = api.CallLimiter()
    (sent, answered) = samples(language, "json")
    (_commands, curl) = samples(language, "sh")
    named = dict(re.findall(r'-H "([\w-]+): ([^"]+)"', curl))
    with owner():
        assert cli.run_partner_add("maple", name_en="M", name_fr="M", kind="hotline", email="", language="both") == 0
        assert cli.run_partner_key("maple", name="program", scopes=["report.write"]) == 0
    key = capsys.readouterr().out.strip().splitlines()[-1]
    with role("vigil_wire"):
        response = Client().post(
            re.search(r"hotline\.example(/\S+)", curl).group(1),
            sent,
            content_type=named["Content-Type"],
            headers={
                "host": settings.HOST_OF_ORIGIN["wire"],
                "authorization": named["Authorization"].replace("$KEY", key),
                "idempotency-key": named["Idempotency-Key"],
                "accept-language": named["Accept-Language"],
            },
        )

    def without_numbers(answer):
        return {**answer, "reports": [{**each, "number": "number" in each} for each in answer["reports"]]}

    assert response.status_code == 201
    assert without_numbers(response.json()) == without_numbers(json.loads(answered))
    ReportsIn.model_validate_json(sent)
    ReportsOut.model_validate_json(answered)


def test_the_codes_of_problems_are_the_same_in_both_languages():
    found = {name: re.findall(r"^\| (\d{3}) \| (.+?) \|", page.read_text(), re.M) for name, page in PAGES.items()}
    assert found["en"] == found["fr"] and len(found["en"]) == 6
