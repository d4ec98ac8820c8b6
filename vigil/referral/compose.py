"""What a package says about a case, gathered from the rooms that know it, as the person who sends it may see it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from itertools import count
from uuid import UUID

from vigil.accounts.selectors import AgencyFacts, agency
from vigil.casework import selectors as casework
from vigil.casework.selectors import CaseFacts, IncidentFacts
from vigil.core import keyd
from vigil.core.actors import Actor
from vigil.core.hotline import hotline
from vigil.core.ids import format_number
from vigil.crawl import selectors as crawl
from vigil.crawl.selectors import CandidateView, SightingFacts
from vigil.intake import selectors as intake
from vigil.intake.selectors import ReportSummary
from vigil.lists import selectors as lists
from vigil.lists.selectors import EntryFacts
from vigil.referral.models import Package
from vigil.referral.wire.contents import (
    Agency,
    Contents,
    Fact,
    Fingerprint,
    Handle,
    Hotline,
    Place,
    ReporterWords,
    Step,
)

PURPOSE = "referral.package"
# Each place is opened on its own by the key process. A case with more is referred in parts.
MAX_PLACES = 200
_FOLLOW_UPS = (
    "meeting_planned", "deadline", "child_sent_images", "other_sent_images", "is_me", "already_shared", "identifiable",
)  # fmt: skip
_LEFT_OUT = frozenset({"out_of_scope"})
_LISTED = frozenset({"proposed", "published"})


@dataclass(frozen=True, slots=True)
class CaseForReferral:
    """A case as it would be referred: without incidents that were found to be out of scope."""

    id: UUID
    number: str
    sensitivity: int
    band: int
    incidents: tuple[IncidentFacts, ...]

    @property
    def incident_count(self) -> int:
        """How many incidents would be in the package."""
        return len(self.incidents)


@dataclass(frozen=True, slots=True)
class Preview:
    """What a package would hold, before anything is opened."""

    case: CaseForReferral
    situations: tuple[str, ...]
    reasons: tuple[str, ...]
    reports: int
    links: int
    handles: int
    fingerprints: int
    listed: int
    sightings: int
    missing: tuple[str, ...]


def case_for(actor: Actor, case_id: UUID) -> CaseForReferral:
    """The case as this actor may see it. Raises NotPermitted (ItemUnseen is answered as not found)."""
    case = casework.case(actor, case_id)
    kept = tuple(incident for incident in case.incidents if incident.decision not in _LEFT_OUT)
    return CaseForReferral(case.id, case.number, case.sensitivity, case.band, kept)


def case_id_of(actor: Actor, number: str) -> UUID:
    """The case with this public number, as this actor may see it. Raises NotPermitted (ItemUnseen), NotFound."""
    return casework.case_by_number(actor, number).id


def preview(actor: Actor, case_id: UUID) -> Preview:
    """Counts and what is missing, for the person who decides whether to send. Nothing is opened."""
    case = case_for(actor, case_id)
    reports = _reports_of(case)
    entries = _entries_of(case)
    sightings = [each for entry in entries for each in _confirmed(entry)]
    links, handles = sum(report.link_count for report in reports), sum(report.handle_count for report in reports)
    return Preview(
        case=case,
        situations=tuple(dict.fromkeys(incident.situation for incident in case.incidents)),
        reasons=_reasons(case),
        reports=len(reports),
        links=links,
        handles=handles,
        fingerprints=len(entries),
        listed=sum(entry.state == "published" for entry in entries),
        sightings=len(sightings),
        missing=_missing(
            places=links + len(sightings),
            handles=handles,
            fingerprints=len(entries),
            listed=any(entry.state == "published" for entry in entries),
            words=any(report.has_narrative for report in reports),
            contact=any(report.has_contact for report in reports),
        ),
    )


def suggested_agency(receivers: list[AgencyFacts]) -> AgencyFacts | None:
    """The body that coordinates for the country where there is one, else the first agency. Nobody guesses a region here."""
    return next((each for each in receivers if each.kind == "coordination"), receivers[0] if receivers else None)


def contents_of(row: Package, *, sender: Actor, at: datetime) -> Contents:
    """Everything that goes into a package, opened for this purpose in the sender's name: audited by the key process.

    Raises NotPermitted when the sender may no longer see the case, keyd's errors.
    """
    gathered = _Gathered(case_for(sender, row.case_id), sender, format_number(row.number))
    for report in _reports_of(gathered.case):
        gathered.add_report(report)
    for incident in gathered.case.incidents:
        gathered.add_decision(incident)
    candidates = _candidates_of(gathered.case)
    for entry in _entries_of(gathered.case):
        gathered.add_entry(entry, candidates.get(bytes(entry.sha256)))
    return gathered.contents(row, at)


@dataclass
class _Gathered:
    """Grows into a package's contents; exhibits are numbered in the order in which they come."""

    case: CaseForReferral
    sender: Actor
    ticket: str
    facts: list[Fact] = field(default_factory=list)
    words: list[ReporterWords] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)
    handles: list[Handle] = field(default_factory=list)
    fingerprints: list[Fingerprint] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    has_contact: bool = False
    numbers: Iterator[int] = field(default_factory=lambda: count(1))
    exhibit_of_place: dict[UUID, int] = field(default_factory=dict)
    exhibit_of_url: dict[str, int] = field(default_factory=dict)

    def add_report(self, report: ReportSummary) -> None:
        number, at = format_number(report.number), report.submitted_at
        situations = [each.situation for each in self.case.incidents if each.report_id == report.id]
        self.facts += [
            Fact("situation", tuple(situations), "reporter", at, number),
            *(Fact(code, values, "reporter", at, number) for code, values in _answers(report)),
            Fact("contact", ("contact_given" if report.has_contact else "contact_not_given",), "reporter", at, number),
        ]
        self.has_contact = self.has_contact or report.has_contact
        exhibits = self._add_words(report, number)
        self.steps.append(Step(report.id, "report_received", "reporter", at, at, tuple(exhibits), number))

    def _add_words(self, report: ReportSummary, number: str) -> list[int]:
        try:
            opened = intake.report_words(
                report_id=report.id, actor=self.sender, purpose=PURPOSE, ticket=self.ticket, with_contact=False
            )
        except keyd.NoKey:
            # The report's key was destroyed (erased on request): what is left is said, what is gone is said to be gone.
            self._lacks("unopened_links")
            return []
        at = report.submitted_at
        if opened.narrative:
            self.words.append(ReporterWords(number, report.language, at, opened.narrative))
        exhibits = []
        for link_id, kind, text in opened.links:
            if kind == "handle":
                exhibits.append(next(self.numbers))
                self.handles.append(Handle(link_id, exhibits[-1], text, "reporter", at, number))
            elif (exhibit := self._add_place(link_id, text, "reporter", at, "reported", number)) is not None:
                exhibits.append(exhibit)
        return exhibits

    def add_decision(self, incident: IncidentFacts) -> None:
        if incident.decision and incident.decided_at:
            values = (incident.decision, *([incident.decision_reason] if incident.decision_reason else []))
            self.facts.append(Fact("decision", values, "analyst", incident.decided_at, format_number(incident.number)))

    def add_entry(self, entry: EntryFacts, candidate: CandidateView | None) -> None:
        seen_at = candidate.seen_at if candidate else None
        number = format_number(entry.number)
        found_at = [self._open_place(entry.place_id, seen_at, "")]
        sightings = _confirmed(entry)
        found_at += [
            self._open_place(each.place_id, each.seen_at, format_number(each.number), each.server_address or "")
            for each in sightings
        ]
        places = tuple(dict.fromkeys(exhibit for exhibit in found_at if exhibit is not None))
        exhibit = next(self.numbers)
        self.fingerprints.append(
            Fingerprint(
                id=entry.id,
                exhibit=exhibit,
                sha256=entry.sha256.hex(),
                md5=entry.md5.hex(),
                pdq=entry.pdq.hex(),
                pdq_quality=entry.pdq_quality,
                source="crawler",
                at=seen_at or entry.proposed_at,
                list_number=number,
                state=entry.state,
                classification=entry.classification if entry.state == "published" else "",
                place_exhibits=places,
            )
        )
        if seen_at:
            self.steps.append(
                Step(entry.candidate_id, "candidate_seen", "crawler", seen_at, seen_at, (*places[:1], exhibit))
            )
        if entry.state == "published" and entry.decided_at:
            self.steps.append(
                Step(entry.id, "entry_published", "analyst", entry.proposed_at, entry.decided_at, (exhibit,), number)
            )
        for each, place in zip(sightings, found_at[1:], strict=True):
            if each.decided_at and place is not None:
                self.steps.append(
                    Step(
                        each.id,
                        "sighting_confirmed",
                        "analyst" if each.decided_by else "crawler",
                        each.seen_at,
                        each.decided_at,
                        (place, exhibit),
                        format_number(each.number),
                    )
                )

    def _open_place(self, place_id: UUID, at: datetime | None, number: str, server: str = "") -> int | None:
        if place_id in self.exhibit_of_place:
            return self.exhibit_of_place[place_id]
        if self._is_full():
            return None
        url = keyd.open_place(
            place_id=place_id,
            url_sealed=crawl.place(place_id).url_sealed,
            purpose=PURPOSE,
            actor=self.sender,
            ticket=self.ticket,
        )
        exhibit = self._add_place(place_id, url, "crawler", at, "seen", number, server)
        if exhibit is not None:
            self.exhibit_of_place[place_id] = exhibit
        return exhibit

    def _add_place(
        self, place_id: UUID, url: str, source: str, at: datetime | None, role: str, number: str, server: str = ""
    ) -> int | None:
        if url in self.exhibit_of_url:
            return self.exhibit_of_url[url]
        if self._is_full():
            return None
        exhibit = self.exhibit_of_url[url] = next(self.numbers)
        self.places.append(Place(place_id, exhibit, url, source, at, role, number, server))  # type: ignore[arg-type]
        return exhibit

    def _is_full(self) -> bool:
        if len(self.places) < MAX_PLACES:
            return False
        self._lacks("more_places")
        return True

    def _lacks(self, code: str) -> None:
        if code not in self.missing:
            self.missing.append(code)

    def contents(self, row: Package, at: datetime) -> Contents:
        receiver = agency(row.agency_id)
        missing = _missing(
            places=len(self.places),
            handles=len(self.handles),
            fingerprints=len(self.fingerprints),
            listed=any(each.state == "published" for each in self.fingerprints),
            words=bool(self.words),
            contact=self.has_contact,
        )
        exhibits = tuple(
            sorted(
                [each.exhibit for each in self.places]
                + [each.exhibit for each in self.handles]
                + [each.exhibit for each in self.fingerprints]
            )
        )
        return Contents(
            package_id=row.id,
            number=self.ticket,
            case_number=format_number(self.case.number),
            prepared_at=at,
            hotline=_hotline(),
            agency=Agency(receiver.name_en, receiver.name_fr, receiver.region, "fr" if row.language == "fr" else "en"),
            band=self.case.band,
            reasons=_reasons(self.case),
            facts=tuple(self.facts),
            words=tuple(self.words),
            places=tuple(self.places),
            handles=tuple(self.handles),
            fingerprints=tuple(self.fingerprints),
            steps=(*self.steps, Step(row.id, "referral_prepared", "analyst", row.asked_at, at, exhibits, self.ticket)),
            missing=(*missing, *self.missing),
        )


def _hotline() -> Hotline:
    facts = hotline().operator
    try:
        software = version("vigil")
    except PackageNotFoundError:
        software = "0"
    return Hotline(
        name_en=facts.name("en"),
        name_fr=facts.name("fr"),
        domain=facts.domain,
        phone=facts.phone,
        software_version=software,
    )


def _reports_of(case: CaseForReferral | CaseFacts) -> list[ReportSummary]:
    return [intake.report_summary(each) for each in dict.fromkeys(incident.report_id for incident in case.incidents)]


def _entries_of(case: CaseForReferral) -> list[EntryFacts]:
    found = [entry for incident in case.incidents for entry in lists.entries_of_incident(incident.id)]
    return [entry for entry in found if entry.state in _LISTED]


def _candidates_of(case: CaseForReferral) -> dict[bytes, CandidateView]:
    found: dict[bytes, CandidateView] = {}
    for incident in case.incidents:
        for each in crawl.candidates_for(incident.id):
            found.setdefault(bytes(each.sha256), each)
    return found


def _confirmed(entry: EntryFacts) -> list[SightingFacts]:
    return [each for each in crawl.sightings_of_entry(entry.id) if each.state == "confirmed"]


def _answers(report: ReportSummary) -> Iterable[tuple[str, tuple[str, ...]]]:
    for code in ("danger", "who", "age_band", *_FOLLOW_UPS):
        value = report.signals.get(code)
        if isinstance(value, str) and value:
            yield code, (value,)


def _reasons(case: CaseForReferral) -> tuple[str, ...]:
    most_urgent = [incident for incident in case.incidents if incident.band == case.band]
    return tuple(dict.fromkeys(reason for incident in most_urgent for reason in incident.reasons))


def _missing(
    *, places: int, handles: int, fingerprints: int, listed: bool, words: bool, contact: bool
) -> tuple[str, ...]:
    lacks = {
        "no_places": not places,
        "no_handles": not handles,
        "no_fingerprints": not fingerprints,
        "no_listed": bool(fingerprints) and not listed,
        "no_words": not words,
        "no_contact": not contact,
    }
    return tuple(code for code, lacking in lacks.items() if lacking)
