"""What people wrote, opened through a real key process and shown inert."""

from __future__ import annotations

import html
import re

import pytest
from selectolax.lexbor import LexborHTMLParser

from vigil.accounts.policies import Role
from vigil.casework.models import Incident
from vigil.casework.services import open_incidents
from vigil.casework.tests.factories import make_incident, reload
from vigil.casework.tests.test_pages import path_of, words
from vigil.core import clock
from vigil.core.actors import REPORTER, SYSTEM
from vigil.core.hotline import hotline
from vigil.intake.models import Message, Report
from vigil.intake.questions import read_set
from vigil.intake.questions.reading import SHIPPED_DIR
from vigil.intake.services import take_report
from vigil.intake.services.reports import keep_questions

pytestmark = pytest.mark.usefixtures("transactional_db", "keyd_server")

# Text that tries to be more than text: markup, script, events, templates, entities, bidi and zero-width characters.
PAYLOADS = [
    "<script>alert(1)</script>",
    "</div></main><script src=//evil.example/x></script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    '"><a href="https://evil.example/">press</a>',
    "javascript:alert(1)",
    "{{ request.actor.id }} {% debug %} ${7*7} #{7*7}",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<!-- --><iframe src=https://evil.example></iframe>",
    "<style>*{display:none}</style><meta http-equiv=refresh content=0;url=//evil.example>",
    "\u202egnp.exe\u202c \u2066left\u2069 \u200bzero\u200d width\ufeff",
    "\x1b[31mred\x07 bell \x85 next line",
    "<form action=https://evil.example><button>go</button></form>",
    "]]><![CDATA[<x>",
    "data:text/html,<script>alert(1)</script>",
]
HIDDEN = re.compile("[\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x85]")
SOUGHT = [
    "https://pictures.example/a?b=1#c",
    "http://user:pass@evil.example/<script>",
    "//evil.example/x",
    "HTTP://EVIL.EXAMPLE/\u202egnp",
    "ftp://evil.example",
    "evil.example/x",
    "javascript:alert(1)//evil.example",
    "https://xn--e1afmkfd.example/п",
    "https://пример.example/<img src=x onerror=alert(1)>",
]


@pytest.fixture
def analyst(make_person):
    return make_person(clearance=3)


OUR_ELEMENTS = """html head meta title link body a header div span form input button nav ul ol li main h1 h2 h3 p section dl dt dd
br strong label textarea fieldset legend select option optgroup table caption thead tbody tr th td -text -undef -doctype"""
OURS = set(OUR_ELEMENTS.split())
ADDRESSES = {"href", "src", "action", "formaction", "content", "srcset", "poster", "data", "style", "background"}


def inert(body):
    """Nothing on the page came alive: only elements that we write, no event handlers, no address outside of this origin."""
    tree = LexborHTMLParser(body)
    for node in tree.root.traverse(include_text=False):
        assert node.tag in OURS, node.tag
        for name, value in node.attributes.items():
            assert not name.startswith("on"), name
            if name in ADDRESSES:
                assert not re.match(r"(?i)\s*(https?:|//|javascript:|data:|ftp:|\d+;)", value or ""), (name, value)
    assert not HIDDEN.findall(body)
    return True


def test_words_links_handles_and_answers_are_shown_first_and_defanged(console, analyst):
    incident = make_incident(narrative="A page with pictures was reported.", handles=("someone@chat.example",))
    page = console(analyst).get(path_of("incidents", incident))
    text = words(page)

    assert "A page with pictures was reported." in text
    assert "hxxps[:]//pictures[.]example/gallery" in text
    assert "someone[@]chat[.]example" in text
    assert text.index("A page with pictures") < text.index("Reported places") < text.index("Timeline")
    assert "pictures.example" not in page.content.decode()


@pytest.mark.parametrize("language", ["en", "fr"])
def test_nothing_that_people_write_comes_alive(console, analyst, language):
    client = console(analyst, language=language)
    incident = make_incident(narrative="\n".join(PAYLOADS), links=tuple(SOUGHT), handles=tuple(PAYLOADS))
    client.post(path_of("incidents", incident, "/claim"))
    for payload in PAYLOADS:
        client.post(path_of("incidents", incident, "/ask"), {"message": payload})
    body = client.get(path_of("incidents", incident)).content.decode()

    assert inert(body)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in body
    assert "⟨U+202E⟩" in body
    assert "{{ request[.]actor[.]id }}" in html.unescape(body)
    for host in ("evil.example", "pictures.example"):
        assert host not in body.lower()


def test_links_inside_what_people_write_are_defanged_and_the_rest_stays_readable(console, analyst):
    told = "It was seen on pictures.example/a twice. See http://10.0.0.1/x, or ask someone@chat.example. Version 2.5 is fine."
    incident = make_incident(narrative=told, links=())
    text = words(console(analyst).get(path_of("incidents", incident)))
    assert (
        "It was seen on pictures[.]example/a twice. See hxxp[:]//10[.]0[.]0[.]1/x, or ask someone[@]chat[.]example[.]"
        in text
    )
    assert "Version 2.5 is fine." in text


def test_notes_of_colleagues_are_inert_and_open_to_analysts_only(console, analyst, make_person):
    incident, client = make_incident(), console(analyst)
    client.post(path_of("incidents", incident, "/claim"))
    note = "Synthetic note <script>alert(1)</script>"
    client.post(
        path_of("incidents", incident, "/decide"),
        {"fence": 1, "decision": "actionable", "reason": "material_online", "note": note},
    )
    page = client.get(path_of("incidents", incident)).content.decode()
    assert html.escape(note) in page and inert(page)
    for role in (Role.POLICE_LIAISON, Role.AUDITOR):
        other = words(console(make_person(roles={role}, clearance=3)).get(path_of("incidents", incident)))
        assert "Synthetic note" not in other
        assert "A page with pictures" not in other
        assert "open to intake analysts only" in other


def test_contact_details_are_opened_only_when_asked_for(console, analyst):
    contact = {"contact_name": "Synthetic Name", "contact_way": "someone@mail.example", "may_share": "no"}
    incident, client = make_incident(contact=contact), console(analyst)
    before = words(client.get(path_of("incidents", incident)))
    after = client.post(path_of("incidents", incident, "/contact"))

    assert "Synthetic Name" not in before and "Show contact details" in before
    assert "Synthetic Name" in words(after) and "someone[@]mail[.]example" in words(after)
    assert after.status_code == 200


@pytest.mark.parametrize("role", [Role.POLICE_LIAISON, Role.AUDITOR])
def test_who_may_not_read_reports_does_not_get_contact_details(console, make_person, role):
    incident = make_incident(contact={"contact_name": "Synthetic Name"})
    answer = console(make_person(roles={role}, clearance=3)).post(path_of("incidents", incident, "/contact"))
    assert answer.status_code == 403
    assert "Synthetic Name" not in answer.content.decode()


def test_the_key_process_writes_each_opening_before_the_page_writes_the_view(console, analyst, audit_rows):
    incident = make_incident()
    console(analyst).get(path_of("incidents", incident))

    opened = [row for row in audit_rows(incident.report_id) if row["action"] == "key.open"]
    assert {row["data"]["klass"] for row in opened} == {"narrative", "link"}
    assert {(row["actor"], row["data"]["ticket"]) for row in opened} == {(str(analyst.id), incident.number)}
    assert [row["action"] for row in audit_rows(incident.id)] == ["incident.open", "incident.view"]


def test_a_question_waits_encrypted_in_the_thread_and_on_the_page(console, analyst):
    incident, client = make_incident(), console(analyst)
    client.post(path_of("incidents", incident, "/claim"))
    answer = client.post(path_of("incidents", incident, "/ask"), {"message": "Which page was it?"}, follow=True)

    assert "Your question waits for the reporter." in words(answer)
    assert "Which page was it?" in words(answer)
    assert b"Which page" not in bytes(Message.objects.get(thread_id=incident.report_id).body)


def test_an_empty_question_is_refused_at_its_field(console, analyst):
    incident, client = make_incident(), console(analyst)
    client.post(path_of("incidents", incident, "/claim"))
    for text in ("", "   ", "x" * 5001):
        answer = client.post(path_of("incidents", incident, "/ask"), {"message": text})
        assert answer.status_code == 400
        assert 'href="#id_message"' in answer.content.decode()
    assert not Message.objects.exists()


def test_nobody_asks_or_fetches_without_holding_the_claim(console, analyst):
    incident, client = make_incident(), console(analyst)
    for step, values in (("/ask", {"message": "Which page was it?"}), ("/fetch", {}), ("/case", {})):
        answer = client.post(path_of("incidents", incident, step), values)
        assert answer.status_code == 409
        assert "Claim the incident first." in words(answer)
    assert reload(incident).case_id is None and not Message.objects.exists()


def test_words_of_another_record_do_not_decrypt(console, analyst):
    """A ciphertext that was moved to another report is refused, and the page says that it cannot be opened."""
    one, other = make_incident(narrative="First synthetic words."), make_incident(narrative="Second synthetic words.")
    Report.objects.filter(id=one.report_id).update(narrative=Report.objects.get(id=other.report_id).narrative)
    answer = console(analyst).get(path_of("incidents", one))
    assert "Second synthetic words." not in answer.content.decode()
    assert "cannot be opened now" in words(answer)
    assert Incident.objects.count() == 2


def test_a_report_is_shown_as_it_was_asked_when_its_questions_are_no_longer_there(console, analyst, tmp_path):
    file = tmp_path / "before.toml"
    text = (SHIPPED_DIR / "2026-11.toml").read_text()
    file.write_text(
        text.replace("Can people see who is in the picture?", "Is the face shown?").replace("2026-11", "before")
    )
    asked = read_set(file, hotline())
    file.unlink()
    incident = make_incident()
    keep_questions(asked, at=clock.now())
    Report.objects.filter(id=incident.report_id).update(
        asked_id=asked.digest,
        question_set=asked.name,
        answers={"danger": "no", "identifiable": "yes", "gone_code": "x"},
    )
    text = words(console(analyst).get(path_of("incidents", incident)))
    assert "Is the face shown? Yes" in text
    assert "Is someone in danger right now? No" in text
    assert "gone_code x" in text
    french = words(console(analyst, language="fr").get(path_of("incidents", incident)))
    assert "Peut-on reconnaître la personne sur la photo ? Oui" in french


def test_further_words_are_opened_with_the_others_and_defanged(console, analyst):
    given = {
        "danger": "no", "who": "known", "situations": ["seen_material"], "narrative": "A page with pictures was reported.",
        "where": "chat", "where_name": "chat.example", "happened": {"kind": "about", "value": "last summer"}, "child_name": "Robin",
    }  # fmt: skip
    receipt = take_report(given, source="web", language="en", at=clock.now(), actor=REPORTER)
    report = Report.objects.get(number=receipt.number)
    open_incidents(actor=SYSTEM, report_id=report.id, at=clock.now())
    incident = Incident.objects.get(report_id=report.id)
    text = words(console(analyst).get(path_of("incidents", incident)))
    assert "First name of the child Robin" in text
    assert "chat[.]example" in text and "chat.example" not in text
    assert "When did it happen? about: last summer" in text
