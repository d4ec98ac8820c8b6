"""One incident: the reporter's words first, then what became of the places, the timeline, and the steps to take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from vigil.accounts.errors import ItemUnseen
from vigil.accounts.policies import permit, require
from vigil.accounts.selectors import actor_of, names_of, organisation_names
from vigil.casework import policies, selectors, services, words
from vigil.casework.errors import CaseNotFound, DecisionUnusable
from vigil.casework.forms import CaseNumberForm, CodedForm, DecisionForm, ProposalForm, QuestionForm
from vigil.casework.selectors import IncidentFacts
from vigil.casework.views.shared import place_words, record_view, see_other, words_of
from vigil.core import clock
from vigil.core.actors import Actor
from vigil.core.crypto import Undecryptable
from vigil.core.errors import Conflict, Invalid, NotFound, Unavailable
from vigil.core.ids import format_number
from vigil.core.logs import log
from vigil.crawl import selectors as crawl
from vigil.imagehelp import selectors as image_help
from vigil.intake import selectors as intake
from vigil.intake.selectors import MessageWords, ReportSummary, ReportWords
from vigil.lists import selectors as lists
from vigil.lists.errors import AlreadyAnEntry
from vigil.web.context import current_language
from vigil.web.http import require_post

CANDIDATES_SHOWN = 60
# After these it is known what the place shows; after any other it is not.
KNOWN_OUTCOMES = frozenset({"", "ok", "not_found", "gone"})


@dataclass(frozen=True)
class PlaceRow:
    """One reported link and what became of it."""

    text: str | None
    outcome: str
    is_problem: bool
    is_waiting: bool
    pictures: int
    pictures_waiting: int
    problems: tuple[tuple[str, int], ...]

    def __repr__(self) -> str:
        return "PlaceRow(...)"


@dataclass(frozen=True)
class CandidateRow:
    """One candidate: fingerprints and place, and the entry that was proposed from it."""

    id: UUID
    sha256: str
    size: str
    quality: int
    seen_at: Any
    place: str | None
    entry_number: str
    entry_state: str
    form: ProposalForm

    def __repr__(self) -> str:
        return f"CandidateRow({self.id})"


@require_safe
def incident(request: HttpRequest, number: str) -> HttpResponse:
    """The incident's page. Each view opens the reporter's words anew, audited by the key process and here."""
    return _page(request, number)


@require_post
def claim(request: HttpRequest, number: str) -> HttpResponse:
    """Take the incident, or keep it."""
    return _step(
        request,
        number,
        lambda actor, item: services.claim_incident(actor=actor, incident_id=item.id, at=clock.now()),
        said=_("You have claimed this incident. The claim ends after 15 minutes without a step."),
    )


@require_post
def release(request: HttpRequest, number: str) -> HttpResponse:
    """Give the claim back."""
    return _step(
        request,
        number,
        lambda actor, item: services.release_incident(actor=actor, incident_id=item.id, at=clock.now()),
        said=_("You gave the incident back."),
    )


@require_post
def decide(request: HttpRequest, number: str) -> HttpResponse:
    """Decide under the claim."""
    form = DecisionForm(request.POST)
    if not form.is_valid():
        return _page(request, number, decision_form=form, status=400)

    def step(actor: Actor, item: IncidentFacts) -> None:
        services.decide_incident(actor=actor, incident_id=item.id, at=clock.now(), **form.cleaned_data)

    return _step(request, number, step, said=_("Your decision was kept."), form=form, form_name="decision_form")


@require_post
def ask(request: HttpRequest, number: str) -> HttpResponse:
    """Put a question to the reporter."""
    form = QuestionForm(request.POST)
    if not form.is_valid():
        return _page(request, number, question_form=form, status=400)

    def step(actor: Actor, item: IncidentFacts) -> None:
        services.ask_reporter(actor=actor, incident_id=item.id, text=form.cleaned_data["message"], at=clock.now())

    said = _("Your question waits for the reporter.")
    return _step(request, number, step, said=said, form=form, form_name="question_form", fragment="thread")


@require_post
def fetch(request: HttpRequest, number: str) -> HttpResponse:
    """Hand the reported places to the crawl."""
    actor = actor_of(request)
    item = selectors.incident_by_number(actor, number)
    try:
        rows = services.fetch_reported_places(actor=actor, incident_id=item.id, at=clock.now())
    except (Conflict, Unavailable) as error:
        return _page(request, number, problem=words_of(error), status=409)
    asked = sum(1 for row in rows if row.place_id)
    messages.success(
        request,
        ngettext("%(n)s place was handed to the crawler.", "%(n)s places were handed to the crawler.", asked)
        % {"n": asked},
    )
    return see_other("incident", item.number, "places")


@require_post
def show_contact(request: HttpRequest, number: str) -> HttpResponse:
    """The page once more, with the reporter's contact details opened."""
    return _page(request, number, with_contact=True)


@require_post
def open_case(request: HttpRequest, number: str) -> HttpResponse:
    """Open a case around the incident."""

    def step(actor: Actor, item: IncidentFacts) -> None:
        services.open_case(actor=actor, incident_id=item.id, at=clock.now())

    return _step(request, number, step, said=_("A case was opened."), fragment="case")


@require_post
def add_to_case(request: HttpRequest, number: str) -> HttpResponse:
    """Put the incident into a case."""
    form = CaseNumberForm(request.POST)
    if not form.is_valid():
        return _page(request, number, case_form=form, status=400)

    def step(actor: Actor, item: IncidentFacts) -> None:
        try:
            case_id = selectors.case_by_number(actor, form.cleaned_data["case"]).id
            services.add_to_case(actor=actor, incident_id=item.id, case_id=case_id, at=clock.now())
        except CaseNotFound as exc:
            raise Invalid(fields={"case": "case.unknown"}) from exc
        except ItemUnseen as exc:
            # Answered like a number that does not exist; the middleware writes the refusal into the audit log.
            request.refused = exc  # type: ignore[attr-defined]
            raise Invalid(fields={"case": "case.unknown"}) from exc

    said = _("The incident was added to the case.")
    return _step(request, number, step, said=said, form=form, form_name="case_form", fragment="case")


@require_post
def take_out_of_case(request: HttpRequest, number: str) -> HttpResponse:
    """Take the incident out of its case."""

    def step(actor: Actor, item: IncidentFacts) -> None:
        services.take_out_of_case(actor=actor, incident_id=item.id, at=clock.now())

    return _step(request, number, step, said=_("The incident was taken out of the case."), fragment="case")


@require_post
def propose(request: HttpRequest, number: str) -> HttpResponse:
    """Propose one candidate for the list."""
    form = ProposalForm(request.POST)
    if not form.is_valid():
        return _page(request, number, problem=_("Choose a classification"), status=400)

    def step(actor: Actor, item: IncidentFacts) -> None:
        services.propose_entry(
            actor=actor,
            incident_id=item.id,
            candidate_id=form.cleaned_data["candidate"],
            classification=form.cleaned_data["classification"],
            at=clock.now(),
        )

    said = _("The entry was proposed. Two assessors decide about it.")
    return _step(request, number, step, said=said, fragment="candidates")


# ---- shared ----------------------------------------------------------------------------------------------------------------------
def _step(
    request: HttpRequest,
    number: str,
    step: Callable[[Actor, IncidentFacts], object],
    *,
    said: str,
    form: CodedForm | None = None,
    form_name: str = "",
    fragment: str = "",
) -> HttpResponse:
    """Take one step and show the incident anew; a refusal stays on the page, in words, with what was typed."""
    actor = actor_of(request)
    item = selectors.incident_by_number(actor, number)
    extra: dict[str, Any] = {form_name: form} if form_name else {}
    try:
        step(actor, item)
    except DecisionUnusable as refusal:
        return _refused(request, number, form, refusal, extra)
    except Invalid as refusal:
        return _refused(request, number, form, refusal, extra)
    except AlreadyAnEntry as error:
        return _page(request, number, problem=_already_listed(str(error.args[0])), status=409)
    except (Conflict, Unavailable) as error:
        return _page(request, number, problem=words_of(error), status=409, **extra)
    except NotFound as error:
        return _page(request, number, problem=words_of(error), status=404)
    messages.success(request, said)
    return see_other("incident", item.number, fragment)


def _refused(
    request: HttpRequest, number: str, form: CodedForm | None, refusal: Invalid, extra: dict[str, Any]
) -> HttpResponse:
    if form is None:
        return _page(request, number, problem=words_of(refusal), status=400)
    form.take(refusal)
    return _page(request, number, status=400, **extra)


def _already_listed(entry_number: str) -> str:
    return _("The same file was proposed before: entry %(number)s.") % {"number": format_number(entry_number)}


def _page(
    request: HttpRequest,
    number: str,
    *,
    status: int = 200,
    problem: str = "",
    with_contact: bool = False,
    decision_form: DecisionForm | None = None,
    question_form: QuestionForm | None = None,
    case_form: CaseNumberForm | None = None,
) -> HttpResponse:
    actor, now = actor_of(request), clock.now()
    item = selectors.incident_by_number(actor, number)
    report = intake.report_summary(item.report_id)
    may_read = permit(actor, "report.view", item)
    if with_contact:
        require(actor, "report.view", item)
    opened, thread, notes = _open_words(actor, item, with_contact=with_contact) if may_read else (None, None, None)
    form_with_errors = next((form for form in (decision_form, question_form, case_form) if form is not None), None)
    context = {
        "item": item,
        "report": report,
        "help_case": image_help.case_of_report(report.id) if report.question_set == "image_help" else None,
        "answers": _answers(report, opened),
        "may_read": may_read,
        "words": opened,
        "links": [text for _id, kind, text in opened.links if kind == "link"] if opened else [],
        "handles": [text for _id, kind, text in opened.links if kind == "handle"] if opened else [],
        "contact": _contact(report, opened) if with_contact else None,
        "thread": thread,
        "notes": notes,
        "has_notes": selectors.has_notes(item.id),
        "steps": selectors.steps_of(item.id),
        "places": _places(item, opened),
        "known": _known(item, opened),
        "is_reappearance": any(place.is_reappearance for place in selectors.known_places_of(item.id)),
        "also_reported": selectors.also_reported(actor, item),
        "partner": organisation_names({item.partner_id}, get_language() or "en").get(item.partner_id, "")
        if item.partner_id
        else "",
        "candidates": _candidates(actor, item, may_read=may_read),
        "more_candidates": max(0, len(crawl.candidates_for(item.id)) - CANDIDATES_SHOWN),
        "holder": _holder(item, now=now),
        "is_mine": policies.holds_claim(actor.id, item, at=now),
        "may_work": policies.may_work_on(actor, item, at=now),
        "may_claim": permit(actor, "incident.claim", item),
        "may_link": permit(actor, "case.link", item),
        "may_propose": permit(actor, "entry.propose", item),
        "case_number": selectors.case_number(actor, item.case_id),
        "duplicate_of": selectors.incident_number(actor, item.duplicate_of_id),
        "decided_by": names_of({item.decided_by}).get(item.decided_by, "") if item.decided_by else "",
        "siblings": [other for other in selectors.incidents_of_report(actor, item.report_id) if other.id != item.id],
        "decision_form": decision_form or DecisionForm(initial={"fence": item.claim_fence}),
        "question_form": question_form or QuestionForm(),
        "case_form": case_form or CaseNumberForm(),
        "form": form_with_errors,
        "problem": problem,
        "now": now,
    }
    record_view(actor, "incident.view", "incident", item.id, words=opened is not None, contact=with_contact)
    return render(request, "casework/incident.html", context, status=status)


def _open_words(
    actor: Actor, item: IncidentFacts, *, with_contact: bool
) -> tuple[ReportWords | None, list[MessageWords] | None, list[selectors.NoteWords] | None]:
    """Everything that people wrote, opened; each is None when the key process cannot open it now."""
    purpose, ticket = "casework.view", item.number
    opened, thread, notes = None, None, None
    try:
        opened = intake.report_words(
            report_id=item.report_id, actor=actor, purpose=purpose, ticket=ticket, with_contact=with_contact
        )
        thread = intake.thread_words(report_id=item.report_id, actor=actor, purpose=purpose, ticket=ticket)
        notes = selectors.note_words(actor=actor, item=item)
    except (Unavailable, NotFound) as error:
        log.warning("words_not_opened", code=error.code)
    except Undecryptable as error:
        # A text that was changed or moved in the database: nothing of it is shown, and somebody has to look into it.
        log.error("words_undecryptable", code=error.code, subject=str(item.report_id))
    return opened, thread, notes


def _answers(report: ReportSummary, opened: ReportWords | None) -> list[tuple[str, str]]:
    """What the reporter answered, as it was asked: from the question set that is kept with the report."""
    answers = {code: value for code, value in report.answers.items() if code != "contact"}
    shown = _in_words(report, {**answers, **(opened.others if opened else {})})
    given = report.answers.get("contact")
    return [*shown, (str(words.CONTACT_GIVEN), words.of(words.ANSWERS, given))] if given else shown


def _contact(report: ReportSummary, opened: ReportWords | None) -> list[tuple[str, str]] | None:
    return None if opened is None else _in_words(report, opened.contact)


def _in_words(report: ReportSummary, answers: dict[str, Any]) -> list[tuple[str, str]]:
    asked = intake.set_of_report(asked=report.asked, name=report.question_set)
    found = intake.answers_in_words(asked, answers, language=current_language(), young=report.under_18)
    return [(each.question, ", ".join(each.answers)) for each in found]


def _holder(item: IncidentFacts, *, now: Any) -> str:
    if not policies.is_claimed(item, at=now) or item.claimed_by is None:
        return ""
    return names_of({item.claimed_by}).get(item.claimed_by, _("Somebody else"))


def _places(item: IncidentFacts, opened: ReportWords | None) -> list[PlaceRow]:
    texts = {link_id: text for link_id, _kind, text in opened.links} if opened else {}
    tried = {place.place_id: place for place in crawl.places_for(item.id)}
    are_pictures = {candidate.place_id for candidate in crawl.candidates_for(item.id)}
    rows = []
    for asked in selectors.places_asked(item.id):
        place = tried.get(asked.place_id) if asked.place_id else None
        if place is None:
            outcome = str(words.UNREADABLE) if asked.error else words.of(words.OUTCOMES, "")
            rows.append(PlaceRow(texts.get(asked.link_id), outcome, bool(asked.error), not asked.error, 0, 0, ()))
            continue
        done = [picture for picture in place.pictures if picture.outcome]
        bad: dict[str, int] = {}
        for picture in done:
            if picture.outcome != "ok":
                bad[picture.outcome] = bad.get(picture.outcome, 0) + 1
        rows.append(
            PlaceRow(
                text=texts.get(asked.link_id),
                outcome=words.of(words.OUTCOMES, place.outcome),
                is_problem=place.outcome not in KNOWN_OUTCOMES,
                is_waiting=place.done_at is None,
                # A reported address that is itself a picture shows one.
                pictures=len(place.pictures) or int(place.place_id in are_pictures),
                pictures_waiting=len(place.pictures) - len(done),
                problems=tuple((words.of(words.OUTCOMES, code), count) for code, count in sorted(bad.items())),
            )
        )
    return rows


def _known(item: IncidentFacts, opened: ReportWords | None) -> list[dict[str, Any]]:
    texts = {link_id: text for link_id, _kind, text in opened.links} if opened else {}
    return [
        {
            "text": texts.get(place.link_id),
            "words": words.of(words.KNOWN_PLACES, place.state),
            "badge": words.KNOWN_BADGES[place.state],
            "notice_number": place.notice_number,
            "removal_number": place.removal_number,
            "looked_at": place.looked_at,
        }
        for place in selectors.known_places_of(item.id)
    ]


def _candidates(actor: Actor, item: IncidentFacts, *, may_read: bool) -> list[CandidateRow]:
    found = crawl.candidates_for(item.id)[:CANDIDATES_SHOWN]
    entries = {entry.candidate_id: entry for entry in lists.entries_of_incident(item.id)} if found else {}
    may_see_entries = permit(actor, "entry.view")
    rows = []
    for candidate in found:
        entry = entries.get(candidate.id)
        shown = entry is not None and may_see_entries and entry.sensitivity <= actor.clearance
        rows.append(
            CandidateRow(
                id=candidate.id,
                sha256=candidate.sha256.hex(),
                size=f"{candidate.width} × {candidate.height}",
                quality=candidate.quality,
                seen_at=candidate.seen_at,
                place=place_words(actor, candidate.place_id, ticket=item.number) if may_read else None,
                entry_number=entry.number if entry is not None and shown else "",
                entry_state=entry.state if entry is not None else "",
                form=ProposalForm(initial={"candidate": candidate.id}, auto_id=f"id_{candidate.id.hex}_%s"),
            )
        )
    return rows
