"""The languages of a door are the hotline's: addresses, switches, help, errors and the front door in a country of its own."""

from __future__ import annotations

import shutil

import pytest
from django.template import Context, Template
from django.test import Client, RequestFactory
from django.urls import path
from django.utils import translation
from PIL import Image

from tests.hotlines import HERE
from vigil import settings as vigil_settings
from vigil.core.hotline import STAFF_LANGUAGES, hotline
from vigil.web.context import form_is_open, help_lines_in, operator_in
from vigil.web.http import bilingual, language_asked_for, other_language_of
from vigil.web.languages import current_language, door_speaks, language_name, languages_here, other_languages_of
from vigil.web.views import logo


@pytest.fixture
def examplia(settings, tmp_path):
    """This process with the facts of another country."""
    shutil.copy(HERE / "examplia" / "hotline.toml", tmp_path)
    (tmp_path / "logos").mkdir()
    Image.new("RGB", (120, 40), "teal").save(tmp_path / "logos" / "partner.png")
    settings.HOTLINE_DIR = tmp_path
    settings.LANGUAGES = [("eo", "Esperanto"), ("ia", "Interlingua"), ("en", "English"), ("fr", "Français")]
    return hotline()


def page_of(request, **_kwargs):
    raise AssertionError("never called")


def test_a_page_has_one_address_for_each_language_with_the_words_that_the_file_has(examplia):
    routes = bilingual("danger", "report/danger", "signaler/danger", page_of)
    assert [(each.name, str(each.pattern)) for each in routes] == [
        ("danger-eo", "eo/raporti/dangxero"),
        ("danger-ia", "ia/reportar/danger"),
    ]
    assert [str(each.pattern) for each in bilingual("home", "", "", page_of)] == ["eo/", "ia/"]


def test_pages_for_staff_and_providers_stay_english_and_french(examplia):
    routes = bilingual("page", "answer/<str:token>", "reponse/<str:token>", page_of, languages=STAFF_LANGUAGES)
    assert [str(each.pattern) for each in routes] == ["en/answer/<str:token>", "fr/reponse/<str:token>"]


def test_a_door_speaks_its_own_languages_and_switches_between_them(examplia):
    with translation.override("ia"), door_speaks(examplia.codes):
        assert (current_language(), other_language_of("ia"), other_languages_of("ia")) == ("ia", "eo", ("eo",))
        assert language_name("eo") == "Esperanto"
    with translation.override("fr"), door_speaks(STAFF_LANGUAGES):
        assert (current_language(), other_language_of("fr")) == ("fr", "en")
    with translation.override("fr"), door_speaks(examplia.codes):
        assert current_language() == "eo"
    with translation.override("fr"):
        assert languages_here() == STAFF_LANGUAGES
    with translation.override("ia"):
        assert languages_here() == ("eo", "ia")


def test_a_switch_inside_a_form_names_the_language_where_there_are_several():
    with translation.override("en"), door_speaks(("en", "fr")):
        assert language_asked_for({"action": "language"}) == "fr"
        assert [language_asked_for({"action": action}) for action in ("next", "language-xx", "")] == ["", "", ""]
    with translation.override("ia"), door_speaks(("eo", "ia", "vo")):
        assert language_asked_for({"action": "language-eo"}) == "eo"
        assert other_languages_of("ia") == ("vo", "eo")
    with translation.override("eo"), door_speaks(("eo",)):
        assert other_languages_of("eo") == () and other_language_of("eo") == "eo"


def rendered(template, language, languages, **context):
    request = RequestFactory().get(context.pop("path", f"/{language}/"))
    with translation.override(language), door_speaks(languages):
        return Template(template).render(Context({"request": request, **context}))


def test_the_switch_shows_every_other_language_and_none_where_there_is_one(examplia, settings):
    settings.ROOT_URLCONF = tuple(bilingual("home", "", "", page_of))
    assert rendered("{% language_link %}", "eo", ("eo", "ia")).count("<a ") == 1
    assert 'hreflang="ia"' in rendered("{% language_link %}", "eo", ("eo", "ia"))
    three = rendered("{% language_link %}", "eo", ("eo", "ia", "vo"), language_form="step")
    assert 'value="language-ia"' in three and 'value="language-vo"' in three
    assert rendered("{% language_link %}", "eo", ("eo", "ia"), language_form="step").count('value="language"') == 1
    assert rendered("{% language_link %}", "eo", ("eo",)).strip() == ""


def test_help_shows_the_countrys_number_and_the_lines_of_the_persons_place(examplia):
    north = rendered("{% help_block %}", "ia", examplia.codes)
    south = rendered("{% help_block %}", "ia", examplia.codes, region="S")
    assert "tel:112" in north and "tel:116111" in north and "911" not in north
    assert "Linea del Sud" not in north and south.index("Linea del Sud") < south.index("Linea del Infantes")
    elsewhere = help_lines_in("ia")["help_lines_elsewhere"]
    assert [(place, [line.code for line in lines]) for place, lines in elsewhere] == [("Sud", ["suda"])]


def test_a_child_is_shown_the_lines_for_children():
    canada = rendered("{% help_block %}", "fr", ("fr", "en"), young=True, region="QC")
    assert canada.index("Tel-jeunes") < canada.index("Jeunesse, J’écoute") and "211" not in canada


def test_an_agreed_statement_is_said_on_pages_for_young_people_only(examplia, settings):
    assert "Tu non es in difficultate." in rendered("{% help_block %}", "ia", examplia.codes, young=True)
    assert "Tu non es in difficultate." not in rendered("{% help_block %}", "ia", examplia.codes)
    settings.HOTLINE_DIR = vigil_settings.HOTLINE_DIR
    assert "not in trouble" not in rendered("{% help_block %}", "en", ("en", "fr"), young=True)


def test_the_operators_words_are_those_of_the_language(examplia):
    assert operator_in("ia").hours == "die e nocte" and operator_in("ia").is_named and form_is_open()
    # Documents for staff and providers are English and French: the name is said, what was not written is left out.
    assert operator_in("en").name == "Ekzempla Linio" and operator_in("en").hours == ""


def test_dates_and_numbers_follow_the_language(examplia):
    from datetime import UTC, datetime

    noon = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
    said = rendered("{{ noon|when }} / {{ n|number }}", "eo", examplia.codes, noon=noon, n=1234567)
    assert "2026" in said and "November" not in said and "novembre 2026, " not in said


def test_an_error_is_said_in_every_language_of_the_door(examplia):
    three = rendered("{% error_texts 404 %}", "eo", ("eo", "ia", "fr"))
    assert 'lang="ia"' in three and 'lang="fr"' in three and "Cette page n’existe pas" in three


def test_a_page_written_from_right_to_left_says_so(settings):
    settings.LANGUAGES_BIDI = [*settings.LANGUAGES_BIDI, "eo"]
    settings.LANGUAGES = [("eo", "Esperanto")]
    template = '{% extends "web/base.html" %}'
    assert '<html lang="eo" dir="rtl"' in rendered(template, "eo", ("eo",))
    assert "dir=" not in rendered(template, "en", ("en",))


def test_a_logo_is_served_from_our_own_origin_for_good_and_nothing_else_is(examplia, settings):
    settings.ROOT_URLCONF = (path("logos/<str:name>", logo, name="logo"),)
    settings.MIDDLEWARE = vigil_settings._COMMON
    (partner,) = examplia.logos
    page = rendered(
        "{% logos as partners %}{% for each in partners %}{{ each.url }} {{ each.name }}{% endfor %}", "ia", ("ia",)
    )
    assert page == f"/logos/{partner.file_name} Partner de exemplo"
    client = Client(headers={"host": "report.localhost"})
    answer = client.get(f"/logos/{partner.file_name}")
    assert (answer.content, answer["Content-Type"], answer["X-Content-Type-Options"]) == (
        partner.data,
        "image/png",
        "nosniff",
    )
    assert "immutable" in answer["Cache-Control"] and "Set-Cookie" not in answer
    assert client.get("/logos/../hotline.toml").status_code == 404
    assert client.get("/logos/partner.png").status_code == 404
