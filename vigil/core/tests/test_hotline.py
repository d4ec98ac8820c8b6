"""The operator's own facts: what a folder says, what is wrong with one, and whom a person is told to call."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import tomllib
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.hotlines import HERE, OPEN
from vigil.core import hotline as facts
from vigil.core.hotline import DEFAULT_DIR, FILE_NAME, BadHotline, load, said
from vigil.core.hotline_check import check

CANADA = load(DEFAULT_DIR)
EXAMPLIA = (HERE / "examplia" / FILE_NAME).read_text(encoding="utf-8")


@pytest.fixture
def write(tmp_path):
    """`write(text)`: a folder with this file and the logo that Examplia's file names."""

    def make(text, *, logo=None):
        (tmp_path / "logos").mkdir(exist_ok=True)
        (tmp_path / "logos" / "partner.png").write_bytes(picture() if logo is None else logo)
        (tmp_path / FILE_NAME).write_text(text, encoding="utf-8")
        return tmp_path

    return make


def picture(kind="PNG", size=(120, 40), **options):
    out = io.BytesIO()
    Image.new("RGB", size, "teal").save(out, kind, **options)
    return out.getvalue()


def problems_of(folder):
    with pytest.raises(BadHotline) as caught:
        load(folder)
    return [str(problem) for problem in caught.value.problems]


# ---- what is shipped -----------------------------------------------------------------------------------------------
def test_the_shipped_facts_are_canadas_and_open_no_form():
    assert CANADA.codes == ("en", "fr") and CANADA.default_language == "en" and CANADA.emergency == "911"
    assert len(CANADA.regions) == 13 and CANADA.region("QC").name("fr") == "Québec"
    assert not CANADA.form_may_open and CANADA.operator.name("fr") == "Vigil"
    assert CANADA.statement("not_in_trouble", "fr") == ""
    assert load(OPEN).form_may_open


def test_every_shipped_help_line_names_its_source():
    lines = (DEFAULT_DIR / FILE_NAME).read_text(encoding="utf-8").splitlines()
    tables = [index for index, line in enumerate(lines) if line == "[[help_lines]]"]
    assert len(tables) == len(CANADA.help_lines) == 6
    assert all(any(above.startswith("# Source") for above in lines[index - 2 : index]) for index in tables)


@pytest.mark.parametrize(
    ("language", "region", "audience", "codes"),
    [
        ("en", "", None, ["kids_help_phone", "988", "hope_for_wellness", "cybertip", "211"]),
        ("fr", "", "child", ["kids_help_phone", "988", "hope_for_wellness"]),
        ("fr", "QC", "child", ["tel_jeunes", "kids_help_phone", "988", "hope_for_wellness"]),
        ("en", "QC", "child", ["kids_help_phone", "988", "hope_for_wellness"]),
        ("fr", "outside", "reporter", ["988", "hope_for_wellness", "cybertip", "211"]),
    ],
)
def test_help_follows_language_region_and_audience(language, region, audience, codes):
    assert [line.code for line in CANADA.help_lines_for(language, region, audience)] == codes


@given(
    language=st.sampled_from(["en", "fr", "eo", "xx"]),
    region=st.sampled_from(["", "QC", "ON", "outside", "unsure"]),
    audience=st.sampled_from([None, "child", "adult", "reporter", "nobody"]),
)
def test_nobody_is_left_without_a_line(language, region, audience):
    assert CANADA.help_lines_for(language, region, audience)


def test_a_line_is_shown_with_the_ways_that_it_has_in_the_language(write):
    south = load(write(EXAMPLIA)).help_lines_for("ia", "S")
    assert [line.code for line in south] == ["suda", "infana"]
    assert south[0].in_language("ia").chat == "sud.example" and south[0].in_language("eo").chat == ""
    assert south[1].phone_target == "116111"
    assert CANADA.help_lines[0].phone_target == "+18006686868"


def test_a_country_where_no_line_speaks_the_language_shows_those_that_there_are(write):
    text = EXAMPLIA.replace('audiences = ["child"]', 'audiences = ["child"]\nlanguages = ["ia"]')
    assert [line.code for line in load(write(text)).help_lines_for("eo", "", "child")] == ["infana"]


# ---- languages -------------------------------------------------------------------------------------------------------
def test_a_switch_goes_round_the_languages_and_stays_where_there_is_one(write):
    found = load(write(EXAMPLIA))
    assert (found.other_language("eo"), found.other_language("ia"), found.other_language("fr")) == ("ia", "eo", "eo")
    assert found.language("eo").slug("report/danger") == "raporti/dangxero"
    assert found.language("eo").slug("figures/<int:version>") == "figures/<int:version>"


def test_what_is_not_said_in_a_language_is_said_in_another():
    assert said({"eo": "jes"}, "ia") == "jes" and said({"eo": "jes", "ia": "si"}, "ia") == "si" and said({}, "ia") == ""


# ---- statements, status words, who answers ----------------------------------------------------------------------------
def test_a_statement_that_needs_an_agreement_is_off_until_it_is_recorded(write):
    assert load(write(EXAMPLIA)).statement("not_in_trouble", "ia") == "Tu non es in difficultate."
    without = EXAMPLIA.replace('agreed_with = "Ekzempla polico"\nagreed_on = 2026-01-31\n', "")
    assert load(write(without)).statement("not_in_trouble", "ia") == ""
    half = EXAMPLIA.replace("agreed_on = 2026-01-31\n", "")
    assert "both agreed_with and agreed_on" in problems_of(write(half))[0]
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    assert "is in the future" in problems_of(write(EXAMPLIA.replace("2026-01-31", str(tomorrow))))[0]


def test_an_operator_may_give_states_other_words(write):
    words = '[status_words]\nread = { eo = "Ricevita", ia = "Recipite" }\n'
    assert load(write(EXAMPLIA + words)).status_words == {"read": {"eo": "Ricevita", "ia": "Recipite"}}
    assert "status_words.lost: is not known here" in problems_of(write(EXAMPLIA + words.replace("read", "lost")))[0]


@pytest.mark.parametrize("text", ['phone = "0555 0100"', 'ia = "die e nocte" }\nreaders', 'eo = "Provaj analizistoj"'])
def test_the_form_opens_only_when_readers_phone_and_hours_are_named_in_every_language(write, text):
    assert load(write(EXAMPLIA)).form_may_open
    gone = text.partition('"')[0] + '""' + text.partition('"')[2].partition('"')[2]
    assert EXAMPLIA.count(text) == 1
    assert not load(write(EXAMPLIA.replace(text, gone))).form_may_open


def test_a_legal_term_has_plain_words_and_the_day_it_holds_from():
    term = CANADA.jurisdiction.term("material")
    assert term.in_force == date(2025, 10, 10) and term.terms["fr"] == "matériel d’abus et d’exploitation pédosexuels"
    assert CANADA.jurisdiction.term("none") is None


# ---- what is wrong is named by file and key ----------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("before", "after", "said_of_it"),
    [
        ('code = "ia"', 'code = "IA"', "languages[IA].code: must look like"),
        ('code = "ia"', 'code = "eo"', "languages: has 'eo' more than once"),
        ('name = "Interlingua"', "", "languages[ia].name: is missing"),
        ('name = "Interlingua"', 'name = "Interlingua"\ndirection = "up"', "languages[ia].direction: must be ltr or rtl"),
        ('help = "adjuta"', 'help = "adjuta/a"', "languages[ia].slugs.help: may have small letters"),
        ('numbers = ["112"]', "numbers = []", "emergency.numbers: needs at least one number"),
        ('numbers = ["112"]', 'numbers = ["call"]', "emergency.numbers: 'call' is not a telephone number"),
        ('numbers = ["112"]', "numbers = 112", "emergency.numbers: must be a list of texts, not 112"),
        ('time_zone = "Europe/Vaduz"', 'time_zone = "Vaduz"', "time_zone: is not a time zone"),
        ('ia = "https://weather.example/ia"', 'ia = "http://weather.example/"', "leave_to.ia: must be an https address"),
        ('ia = "https://weather.example/ia"', 'xx = "https://a.example/"', "leave_to.xx: is not a language of this hotline"),
        (', ia = "https://weather.example/ia"', "", "leave_to: has no text in ia"),
        ('email = "linio@', 'email = "linio', "operator.email: is not a mail address"),
        ('phone = "0555 0100"', 'phone = "ask"', "operator.phone: has no digit"),
        ('domain = "examplia.example"', "", "operator.domain: is missing"),
        ('phone = "116 111"', "phone = 116", "help_lines[infana].phone: must be a text, not 116"),
        ('regions = ["S"]', 'regions = ["W"]', "help_lines[suda].regions: 'W' is not one of N, S"),
        ('site = { eo = "infanoj.example"', 'site = { eo = "https://infanoj.example"', "help_lines[infana].site.eo: must"),
        ('audiences = ["child"]', 'audiences = ["dog"]', "help_lines[infana].audiences: 'dog' is not one of"),
        ('audiences = ["child"]', 'regions = ["N"]', "help_lines: needs at least one line for the whole country"),
        ('code = "XE"', 'code = "Examplia"', "jurisdiction.code: must be two capital letters"),
        ("in_force = 2020-01-01", 'in_force = "soon"', "jurisdiction.terms[material].in_force: must be a date"),
        ('file = "partner.png"', 'file = "../partner.png"', "logos[1].file: must be the name of a file"),
        ('file = "partner.png"', 'file = "none.png"', "logos[1].file: logos/none.png is not there"),
        ('[emergency]\nnumbers = ["112"]', "", "emergency: is missing"),
        ("[emergency]", "[emergancy]", "emergancy: is not known here"),
    ],
)  # fmt: skip
def test_every_problem_names_the_file_the_key_and_what_is_wrong(write, before, after, said_of_it):
    assert EXAMPLIA.count(before) >= 1
    folder = write(EXAMPLIA.replace(before, after, 1))
    found = problems_of(folder)
    assert any(problem.startswith(f"{folder / FILE_NAME}: {said_of_it}") for problem in found), found


def test_all_problems_are_found_at_once(write):
    broken = EXAMPLIA.replace('"112"', '"x"').replace("Europe/Vaduz", "Nowhere").replace('code = "XE"', 'code = "x"')
    assert len(problems_of(write(broken))) == 3


@given(body=st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)))
def test_any_bytes_are_facts_or_a_named_problem(tmp_path_factory, body):
    folder = tmp_path_factory.mktemp("facts")
    (folder / FILE_NAME).write_bytes(body)
    assert all(str(folder / FILE_NAME) in problem for problem in problems_of(folder))


@given(data=st.data())
def test_any_value_in_any_place_is_facts_or_a_named_problem(tmp_path_factory, data):
    table = tomllib.loads(EXAMPLIA)
    name = data.draw(st.sampled_from(sorted(table)))
    value = data.draw(
        st.sampled_from([1, "x", [], {}, [1], ["x"], [{}], {"x": 1}, {"eo": 2}, True, 1.5, date(2026, 1, 1)])
    )
    problems = []
    reader = facts._Reader({name: value}, "", tmp_path_factory.getbasetemp() / FILE_NAME, problems)
    codes = ("eo", "ia")
    for read in (
        facts._operator,
        facts._regions,
        facts._statements,
        facts._logos,
        facts._leave_to,
        facts._jurisdiction,
    ):
        read(reader, codes)
    facts._help_lines(reader, codes, ("N",))
    facts._languages(reader)
    facts._emergency(reader)
    assert all(problem.key for problem in problems)


# ---- one file built on another -------------------------------------------------------------------------------------------
def test_a_file_may_name_only_what_differs_and_a_key_replaces_the_whole_key():
    found = load(OPEN)
    assert found.folders == (OPEN, DEFAULT_DIR) and found.operator.phone == "1-555-010-0199"
    assert found.help_lines == CANADA.help_lines and found.languages == CANADA.languages


@pytest.mark.parametrize("base", ['"."', '"nowhere"', "3", '"../.."'])
def test_a_file_cannot_be_built_on_itself_or_on_nothing(write, base):
    assert problems_of(write(f"extends = {base}\n"))


# ---- logos -----------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_a_small_still_picture_is_served_under_the_digest_of_its_bytes(write, kind):
    data = picture(kind)
    (logo,) = load(write(EXAMPLIA, logo=data)).logos
    assert (logo.data, logo.content_type, logo.width, logo.height) == (data, f"image/{kind.lower()}", 120, 40)
    assert logo.file_name.endswith(f".{kind.lower()}") and len(logo.file_name) > 24


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', "is not a PNG or WebP picture"),
        (picture("JPEG"), "is not a PNG or WebP picture"),
        (picture()[:60], "is not a PNG or WebP picture"),
        (picture(size=(481, 10)), "has 481 x 10 pixels"),
        (b"\x89PNG" + bytes(facts.LOGO_MAX_BYTES), "bytes; 20480 are allowed"),
        (picture("PNG", save_all=True, append_images=[Image.new("RGB", (120, 40), "red")]), "moves; only still"),
    ],
)
def test_what_could_run_move_or_weigh_is_not_taken_as_a_logo(write, data, why):
    (problem,) = problems_of(write(EXAMPLIA, logo=data))
    assert "logos[1].file: logos/partner.png" in problem and why in problem


# ---- the command -------------------------------------------------------------------------------------------------------------
def test_the_check_says_what_an_operator_should_know(write):
    problems, notes = check(DEFAULT_DIR)
    assert problems == [] and any("form stays closed until phone, hours and readers" in note for note in notes)
    assert any("statements.not_in_trouble: is off" in note for note in notes)
    _, notes = check(write(EXAMPLIA))
    assert any("sentences of the public pages have no text in eo and are shown in English" in note for note in notes)
    assert any("speaks" in note for note in notes) is False


def test_the_command_and_a_start_name_file_and_key(write, tmp_path):
    folder = write(EXAMPLIA.replace('"112"', '"x"'))
    command = [sys.executable, "-m", "vigil.cli", "hotline", "check", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1 and f"{folder / FILE_NAME}: emergency.numbers: 'x'" in done.stdout
    start = [
        sys.executable,
        "-c",
        f"import os; os.environ['VIGIL_HOTLINE_DIR'] = {str(folder)!r}; import vigil.settings",
    ]
    done = subprocess.run(start, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0 and "VIGIL_HOTLINE_DIR" in done.stderr and "emergency.numbers" in done.stderr
    shutil.copy(HERE / "examplia" / FILE_NAME, folder)
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0 and "this hotline can be used" in done.stdout
