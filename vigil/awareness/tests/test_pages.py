"""Reading pages: what is taken, what stops the start and names the file, whose file wins."""

from pathlib import Path

import pytest

from vigil.awareness.errors import BadPage
from vigil.awareness.pages import AUDIENCES, OWN_PAGES, read_pages, read_text

BODY = "## One\n\nWords, and a [link](page:other).\n\n{{ help child }}\n"


def write_page(folder: Path, code: str, language: str, body: str = BODY, **changes: object) -> Path:
    """A valid file; the test states only what matters to it."""
    facts = {
        "title": f'"Title of {code}"',
        "path": f'"{code}"',
        "summary": '"In short."',
        "audience": '"teens"',
        "register": '"young"',
        "modified": "2026-11-24",
        "order": 10,
    } | changes
    lines = [f"{name} = {value}" for name, value in facts.items() if value is not None]
    file = folder / code / f"{language}.md"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("+++\n" + "\n".join(lines) + "\n+++\n" + body)
    return file


@pytest.fixture
def other(tmp_path):
    """A folder with the page that BODY links to."""
    for language in ("en", "fr"):
        write_page(tmp_path, "other", language, body="## One\n\nWords.\n")
    return tmp_path


def test_our_pages_are_there_in_both_languages_for_every_audience():
    pages = read_pages(["en", "fr"])
    assert {page.audience for page in pages.values()} == set(AUDIENCES)
    assert sorted(pages) == sorted(folder.name for folder in OWN_PAGES.iterdir())
    assert all(set(page.texts) == {"en", "fr"} for page in pages.values())
    assert {page.register for page in pages.values() if page.audience in {"teens", "under_13"}} == {"young"}


def test_the_pages_that_the_law_and_fairness_ask_for_are_there():
    wanted = {"privacy", "accessibility", "terms", "security_contact", "decisions", "complaints"}
    assert wanted == {page.code for page in read_pages(["en", "fr"]).values() if page.audience == "site"}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"title": None}, "needs exactly"),
        ({"colour": '"red"'}, "needs exactly"),
        ({"title": '" "'}, "title must be a text"),
        ({"path": '"/en/there"'}, "path"),
        ({"path": '"with space"'}, "path"),
        ({"audience": '"robots"'}, "audience 'robots'"),
        ({"register": '"old"'}, "register 'old'"),
        ({"modified": '"today"'}, "modified must be a day"),
        ({"modified": "2026-11-24T10:00:00Z"}, "modified must be a day"),
        ({"order": "true"}, "order must be a whole number"),
        ({"order": "1 2"}, "not TOML"),
        ({"body": "# One\n"}, "headings begin at ##"),
        ({"body": "## One\n\n#### Three\n"}, "headings begin at ##"),
        ({"body": "Call 911 now.\n"}, "'911'"),
        ({"body": "Call 1-800-668-6868.\n"}, "numbers to call are asked for by name"),
        ({"body": "See https://site.example/ for more.\n"}, "holds an address"),
        ({"body": "Write to someone@mail.example.\n"}, "holds an address"),
        ({"body": "[There](/en/status)\n"}, "pages link to pages"),
        ({"body": "[There](javascript:alert)\n"}, "pages link to pages"),
        ({"body": "{{ emergencyy }}\n"}, "is not known"),
        ({"body": "Please {{ report }} it.\n"}, "stands on a line of its own"),
        ({"body": "{{ help child }} {{ report }}\n"}, "only buttons stand side by side"),
        ({"body": "{{emergency}}\n"}, "a name is written {{ name }}"),
        ({"body": "Words <b>here</b>.\n"}, "HTML is not taken"),
        ({"body": "<script>alert(1)</script>\n"}, "HTML is not taken"),
    ],
)
def test_an_odd_page_is_refused_and_the_message_names_file_and_reason(tmp_path, changes, says):
    file = write_page(tmp_path, "page", "en", **changes)
    with pytest.raises(BadPage) as refused:
        read_text(file)
    assert str(file) in str(refused.value) and says in str(refused.value)


def test_a_file_without_facts_is_refused(tmp_path):
    file = tmp_path / "page" / "en.md"
    file.parent.mkdir()
    file.write_text("# Only words\n")
    with pytest.raises(BadPage, match=r"between two lines \+\+\+"):
        read_text(file)


def test_a_page_of_the_hotline_in_one_language_only_stops_the_start(other):
    write_page(other, "mine", "en")
    with pytest.raises(BadPage, match=r"mine/fr\.md: is missing"):
        read_pages(["en", "fr"], [other])


def test_a_page_of_ours_that_lacks_a_language_is_left_out(tmp_path):
    assert read_pages(["en", "qq"]) == {}
    assert read_pages(["en"]).keys() == read_pages(["en", "fr"]).keys()


def test_the_files_of_the_hotline_win_one_by_one_the_nearest_first(tmp_path):
    far, near = tmp_path / "far", tmp_path / "near"
    for language in ("en", "fr"):
        write_page(far, "other", language, body="## One\n\nWords.\n", title='"Far"')
    write_page(near, "other", "en", body="## One\n\nWords.\n", title='"Near"')
    pages = read_pages(["en", "fr"], [near, far], own=tmp_path / "nothing")
    assert {language: text.title for language, text in pages["other"].texts.items()} == {"en": "Near", "fr": "Far"}


def test_the_hotline_may_write_our_page_in_its_own_language(tmp_path):
    english = read_text(OWN_PAGES / "threats" / "en.md")
    for code in {"threats"}:
        write_page(tmp_path, code, "qq", body=english.body, order=english.order, path='"abc/def"')
    assert list(read_pages(["en", "qq"], [tmp_path])) == ["threats"]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"audience": '"parents"'}, "audience differs"),
        ({"register": '"general"'}, "register differs"),
        ({"order": 11}, "order differs"),
        ({"body": "## One\n\nWords, and a [link](page:other).\n"}, "headings, links or"),
        ({"body": "## One\n\nWords.\n\n{{ help child }}\n"}, "headings, links or"),
        ({"body": BODY + "\n## Two\n\nMore.\n"}, "headings, links or"),
    ],
)
def test_languages_of_a_page_that_do_not_say_the_same_stop_the_start(other, changes, says):
    write_page(other, "mine", "en")
    write_page(other, "mine", "fr", **changes)
    with pytest.raises(BadPage, match=says):
        read_pages(["en", "fr"], [other], own=other)


def test_a_link_to_a_page_that_is_not_there_stops_the_start(tmp_path):
    write_page(tmp_path, "mine", "en")
    with pytest.raises(BadPage, match="links to page:other"):
        read_pages(["en"], [tmp_path])


def test_two_pages_at_one_address_stop_the_start(other):
    for language in ("en", "fr"):
        write_page(other, "mine", language, path='"other"')
    with pytest.raises(BadPage, match="is also that of"):
        read_pages(["en", "fr"], [other], own=other)
