"""The chain around a number, as each person may see it."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from vigil.accounts.models import Person
from vigil.casework.models import Case, Incident
from vigil.core import clock
from vigil.core.actors import process_actor
from vigil.core.errors import Invalid, NotFound, NotPermitted
from vigil.core.ids import random_number
from vigil.core.models import Number
from vigil.imagehelp.tests.conftest import PDQ
from vigil.imagehelp.tests.factories import make_case, work
from vigil.lists.models import Entry
from vigil.oversight import cli
from vigil.oversight.trace import MORE, trace
from vigil.referral import services as referral
from vigil.referral.models import Package
from vigil.referral.tests.conftest import at_console, make_world, world  # noqa: F401 - fixtures

KINDS = ["report", "incident", "case", "entry", "sighting", "referral", "outcome"]


@pytest.fixture
def chain(world):  # noqa: F811 - the fixture
    """A world whose referral came back with an outcome."""
    package_id = world.send()
    with world.role("vigil_partner", world.officer):
        referral.acknowledge(actor=world.officer, package_id=package_id, at=clock.now())
        referral.return_outcome(actor=world.officer, package_id=package_id, kind="child_safe", at=clock.now())
    return world


def numbers():
    """Every number of the arranged chain, by kind."""
    return dict(Number.objects.filter(kind__in=KINDS).values_list("kind", "number"))


def seen(chain, actor, number, role="vigil_console"):
    with chain.role(role, actor):
        return trace(actor, number)


def test_any_number_shows_the_whole_chain(chain):
    system = process_actor("trace")
    found = numbers()
    assert set(found) == set(KINDS)

    chains = [seen(chain, system, number, "vigil_worker") for number in found.values()]

    for number, hops in zip(found.values(), chains, strict=True):
        assert {hop.kind for hop in hops} == set(KINDS)
        (asked,) = (hop for hop in hops if hop.asked)
        assert asked.number.replace("-", "") == number
    first = [(hop.kind, hop.number, hop.depth, hop.parent) for hop in chains[0]]
    assert all([(hop.kind, hop.number, hop.depth, hop.parent) for hop in hops] == first for hops in chains)


def test_hops_have_their_times_and_who_did_it(chain):
    hops = {hop.kind: hop for hop in seen(chain, process_actor("trace"), numbers()["report"], "vigil_worker")}

    assert [time.code for time in hops["entry"].times] == ["proposed", "assessed", "assessed", "published"]
    times = {time.code: time for time in hops["referral"].times}
    assert times["asked"].by == chain.liaison.name and times["acknowledged"].by == chain.officer.name
    assert hops["outcome"].times[0].by == chain.officer.name
    assert [hop.depth for hop in hops.values()][:2] == [0, 1]


@pytest.mark.parametrize(
    ("position", "kinds"),
    [
        ("intake_analyst", set(KINDS)),
        ("auditor", set(KINDS)),
        ("police_liaison", {"report", "incident", "case", "referral", "outcome"}),
        ("removal_officer", {"entry", "sighting"}),
        ("assessor", {"entry", "sighting"}),
    ],
)
def test_each_role_sees_its_own_hops_and_nothing_of_the_others(chain, make_person, position, kinds):
    actor = make_person(roles={position}, clearance=3)
    found = numbers()
    for kind, number in found.items():
        if kind in kinds:
            assert {hop.kind for hop in seen(chain, actor, number)} == kinds
        else:
            with pytest.raises(NotFound):
                seen(chain, actor, number)


def test_a_hop_above_clearance_hides_itself_and_what_lies_behind_it(chain, owner, make_person):
    with owner():
        Case.objects.filter(id=chain.case_id).update(sensitivity=3)
        Package.objects.update(sensitivity=1)
    low = make_person(roles={"intake_analyst", "police_liaison"}, clearance=1)

    hops = seen(chain, low, numbers()["report"])

    assert {hop.kind for hop in hops} == {"report", "incident", "entry", "sighting"}
    assert not any(hop.kind == MORE for hop in hops)
    text = repr(hops)
    for kind in ("case", "referral", "outcome"):
        assert numbers()[kind] not in text.replace("-", "")


def test_the_incident_hides_the_report_too(chain, owner, make_person):
    with owner():
        Incident.objects.update(sensitivity=2, case=None)
    low = make_person(roles={"intake_analyst"}, clearance=1)

    with pytest.raises(NotFound):
        seen(chain, low, numbers()["report"])
    assert {hop.kind for hop in seen(chain, low, numbers()["entry"])} == {"entry", "sighting"}


def test_the_same_holds_without_the_permission_check(chain, owner, make_person, monkeypatch):
    """Row policies stand behind: with every check patched out, what is above clearance is still not there."""
    with owner():
        Entry.objects.update(sensitivity=3)
        Package.objects.update(sensitivity=3)
    low = make_person(roles={"intake_analyst"}, clearance=1)
    monkeypatch.setattr("vigil.oversight.trace.permit", lambda *arguments: True)
    monkeypatch.setattr("vigil.oversight.trace.require", lambda *arguments: None)

    hops = seen(chain, low, numbers()["report"])
    assert not {"entry", "referral", "outcome"} & {hop.kind for hop in hops}


def test_an_unknown_number_and_one_that_may_not_be_seen_get_the_same_answer(chain, make_person):
    assessor = make_person(roles={"assessor"}, clearance=3)
    errors = []
    for number in (random_number(), numbers()["case"]):
        with pytest.raises(NotFound) as caught:
            seen(chain, assessor, number)
        errors.append(str(caught.value))
    assert errors[0] == errors[1] == "number.unknown"
    with pytest.raises(Invalid):
        seen(chain, assessor, "not a number")


def test_who_may_not_trace_may_not(chain, make_person):
    with pytest.raises(NotPermitted):
        seen(chain, make_person(roles={"administrator"}, clearance=3), numbers()["report"])


def test_a_long_chain_is_cut_and_says_so(chain, monkeypatch):
    monkeypatch.setattr("vigil.oversight.trace.MAX_HOPS", 3)
    hops = seen(chain, process_actor("trace"), numbers()["report"], "vigil_worker")
    assert [hop.kind for hop in hops][-1] == MORE and len(hops) == 4


# ---- the page and the command --------------------------------------------------------------------------------------------
def test_the_page_shows_the_chain_and_records_the_look(chain, at_console, make_person, audit_rows):  # noqa: F811
    auditor = make_person(roles={"auditor"}, clearance=3)
    number = numbers()["report"]

    english = at_console(auditor).post("/trace/", {"number": number})
    french = at_console(auditor, language="fr").post("/trace/", {"number": number.lower()})

    assert english.status_code == french.status_code == 200
    assert "List entry" in english.content.decode() and "Entrée de la liste" in french.content.decode()
    report_id = Incident.objects.get().report_id
    assert [row["action"] for row in audit_rows(report_id)].count("trace.view") == 2
    assert number not in "".join(re.findall(r'(?:href|action)="([^"]*)"', english.content.decode()))


def test_a_wrong_number_is_said_to_be_wrong(chain, at_console, make_person):  # noqa: F811
    page = at_console(make_person(roles={"auditor"}, clearance=3))
    for number in ("", "12345", random_number()):
        answer = page.post("/trace/", {"number": number})
        assert answer.status_code == 400 and 'href="#id_number"' in answer.content.decode()
    assert page.get("/trace/").status_code == 200


def test_the_command_prints_the_chain_for_the_system_and_for_a_person(chain, make_person):
    def run(role, actor, **arguments):
        text = io.StringIO()
        with chain.role(role, actor):
            code = cli.run_trace(numbers()["report"], console=Console(file=text, width=200), **arguments)
        return code, text.getvalue()

    code, text = run("vigil_worker", None)
    assert code == 0 and "Referral" in text and chain.liaison.name in text

    auditor = make_person(roles={"auditor"}, clearance=3)
    code, text = run("vigil_console", auditor, as_email=Person.objects.get(id=auditor.id).email)
    assert code == 0 and "Sighting" in text and "Referral" in text

    assessor = make_person(roles={"assessor"}, clearance=3)
    code, text = run("vigil_console", assessor, as_email=Person.objects.get(id=assessor.id).email)
    assert (code, text) == (1, "no trace: number.unknown\n")


def test_an_image_help_case_stands_above_the_report_that_it_became(role, make_person):
    _case_id, number, _code = make_case(PDQ, threat="yes")
    work("vigil.imagehelp", "vigil.casework", without="known_places")
    analyst = make_person(roles={"intake_analyst"}, clearance=3)
    with role("vigil_console", actor=analyst):
        assert [hop.kind for hop in trace(analyst, number)] == ["image_help", "report", "incident"]
    assessor = make_person(roles={"assessor"}, clearance=3)
    with role("vigil_console", actor=assessor), pytest.raises(NotFound):
        trace(assessor, number)
