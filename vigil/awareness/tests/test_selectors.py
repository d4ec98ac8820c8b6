"""What a page looks like when its facts are filled in: the operator's numbers, statements and buttons, and nothing else."""

import re

import pytest

from vigil.awareness import markdown
from vigil.awareness.facts import line, within
from vigil.awareness.pages import all_pages
from vigil.awareness.selectors import audiences_in, groups_in, html_of, in_footer, index_title
from vigil.core.hotline import DEFAULT_DIR

OPERATOR = """
[operator]
name = { en = "Hotline (test)", fr = "Ligne (essai)" }
phone = "1-555-010-0199"
hours = { en = "day and night", fr = "jour et nuit" }
readers = { en = "Test analysts", fr = "Des analystes" }
email = "mail@hotline.example"
domain = "hotline.example"
"""
AGREED = """
[statements.not_in_trouble]
text = { en = "You are not in trouble for telling us.", fr = "Tu n’auras pas d’ennuis parce que tu nous en parles." }
agreed_with = "the police of the test"
agreed_on = 2026-01-31
"""


@pytest.fixture
def a_hotline(tmp_path, settings):
    """A hotline folder of its own, on top of the shipped one."""

    def make(text: str = OPERATOR) -> None:
        (tmp_path / "hotline.toml").write_text(f'extends = "canada"\n{text}')
        settings.HOTLINE_DIR = tmp_path

    return make


def rendered(body: str) -> str:
    return markdown.render(
        body,
        address=lambda code: f"/en/{code}",
        fact=lambda name: within(name, "en"),
        line=lambda names: line(names, "en", young=True),
    )


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_page_has_its_facts_filled_in(a_hotline, language):
    a_hotline()
    for code in all_pages():
        html = html_of(code, language)
        assert "{{" not in html and "page:" not in html, code
        assert not re.search(r"href=\"(?!/|tel:|mailto:)", html), code


def test_that_one_is_not_in_trouble_is_said_only_where_the_agreement_is_recorded(a_hotline):
    a_hotline()
    assert "trouble" not in html_of("threats", "en") and "ennuis" not in html_of("threats", "fr")


def test_that_one_is_not_in_trouble_is_said_in_both_languages_once_it_is_true(a_hotline):
    a_hotline(OPERATOR + AGREED)
    assert "You are not in trouble for telling us." in html_of("threats", "en")
    assert "Tu n’auras pas d’ennuis" in html_of("threats", "fr")


def test_the_button_to_report_is_there_only_while_the_form_is_open(a_hotline):
    a_hotline('[emergency]\nnumbers = ["911"]\n')
    assert "/en/before-you-start" not in html_of("saw", "en") and "/en/help" in html_of("saw", "en")


def test_an_operator_with_a_telephone_is_named_with_it(a_hotline):
    a_hotline()
    assert "/en/before-you-start" in html_of("saw", "en")
    assert 'href="tel:1-555-010-0199"' in html_of("first_hours", "en")
    assert 'href="mailto:mail@hotline.example"' in html_of("complaints", "fr")
    assert "Hotline (test)" in html_of("terms", "en") and "Ligne (essai)" in html_of("terms", "fr")


def test_a_demonstration_names_no_telephone_and_no_mail_of_its_own(a_hotline, settings):
    a_hotline()
    settings.VIGIL_DEMO = True
    assert "1-555-010-0199" not in html_of("first_hours", "en")
    assert "mail@hotline.example" not in html_of("complaints", "en")
    assert "nobody answers here" in html_of("complaints", "en")


def test_help_lines_follow_the_audience_and_the_language():
    assert "Kids Help Phone" in rendered("{{ help child }}\n")
    assert "Jeunesse, J’écoute" in html_of("threats", "fr") and "Kids Help Phone" not in html_of("threats", "fr")


def test_what_could_run_or_lead_away_is_taken_out_of_the_html():
    html = markdown.render(
        "Words {{ operator }}.\n",
        address=lambda code: code,
        fact=lambda name: (
            '<img src="x" onerror="a()"><a href="https://elsewhere.example/" class="evil button" style="x">there</a>'
            "<script>b()</script>"
        ),
        line=lambda names: "",
    )
    assert html == '<p>Words <a class="button">there</a>.</p>\n'


def test_the_index_lists_every_page_but_itself_and_those_about_this_site():
    listed = [code for group in groups_in("en") for code, _text, _address in group.links]
    assert listed == [code for code, page in all_pages().items() if page.audience != "site" and code != "learn"]


def test_a_hotline_in_languages_that_our_pages_lack_has_none_and_its_other_pages_do_not_mind(tmp_path, settings):
    text = (DEFAULT_DIR / "hotline.toml").read_text()
    for french, other in {'code = "fr"': 'code = "qq"', "fr = ": "qq = ", '"fr"]': '"qq"]'}.items():
        text = text.replace(french, other)
    (tmp_path / "hotline.toml").write_text(text)
    settings.HOTLINE_DIR = tmp_path
    assert all_pages() == {}
    assert (in_footer("qq"), index_title("qq"), audiences_in("en")) == ([], "", [])
