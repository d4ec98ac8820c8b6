"""Reads of referrals: what is in an inbox, what was sent, what came back. Nothing here opens a package."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from vigil.accounts.policies import permit, require
from vigil.accounts.selectors import agencies, agency, names_of
from vigil.core.actors import Actor
from vigil.referral.errors import NotSentYet, PackageNotFound
from vigil.referral.models import Download, Outcome, Package

LIST_LIMIT = 200
# `sealed` stays where it is until somebody opens the package.
_COLUMNS = (
    "id", "number", "case_id", "case_number", "agency_id", "sensitivity", "band", "language", "state", "asked_by", "asked_at",
    "attempts", "last_failure", "size_bytes", "manifest_digest", "pages", "sent_at", "acknowledged_by", "acknowledged_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class PackageFacts:
    """One referral as lists, pages and other rooms may know it: no link, no word of anybody."""

    id: UUID
    number: str
    case_id: UUID
    case_number: str
    agency_id: UUID
    sensitivity: int
    band: int
    language: str
    state: str
    asked_by: UUID
    asked_at: datetime
    attempts: int
    last_failure: str
    size_bytes: int | None
    manifest_digest: str
    pages: int | None
    sent_at: datetime | None
    acknowledged_by: UUID | None
    acknowledged_at: datetime | None

    @property
    def digest_in_groups(self) -> str:
        """The manifest's digest in groups of eight, for comparing by eye or by telephone."""
        return " ".join(self.manifest_digest[start : start + 8] for start in range(0, len(self.manifest_digest), 8))


@dataclass(frozen=True, slots=True)
class OutcomeFacts:
    """One outcome. Sensitivity and agency are its package's: permission follows the item."""

    id: UUID
    number: str
    package_id: UUID
    sensitivity: int
    agency_id: UUID
    kind: str
    by: UUID
    at: datetime


@dataclass(frozen=True, slots=True)
class Listed:
    """A row of a list: the package, its agency's names, its outcomes."""

    package: PackageFacts
    agency_name_en: str
    agency_name_fr: str
    outcomes: tuple[OutcomeFacts, ...]


@dataclass(frozen=True, slots=True)
class DownloadFacts:
    """Who took a package out, and when. The name is empty where the viewer may not know it."""

    name: str
    at: datetime


def visible_row(actor: Actor, package_id: UUID, *, must_be_sent: bool = False) -> Package:
    """The row, for this room's services. Raises PackageNotFound, ItemUnseen (answered alike), NotPermitted, NotSentYet."""
    row = Package.objects.filter(id=package_id).first()
    if row is None:
        raise PackageNotFound(package_id)
    require(actor, "referral.view", row)
    if actor.agency_id is not None and row.state == "draft":
        raise PackageNotFound(package_id)
    if must_be_sent and row.state == "draft":
        raise NotSentYet(package_id)
    return row


def package(actor: Actor, package_id: UUID) -> Listed:
    """One package as the actor may see it. Raises PackageNotFound."""
    return _listed([visible_row(actor, package_id)])[0]


def inbox(actor: Actor) -> list[Listed]:
    """What an officer's agency has received: what waits for an acknowledgement first, then the most urgent, then the oldest."""
    rows = _rows().exclude(state="draft").filter(agency_id=actor.agency_id, sensitivity__lte=actor.clearance)
    listed = _listed(row for row in rows.order_by("-sent_at")[:LIST_LIMIT] if permit(actor, "referral.view", row))
    order = {"sent": 0, "acknowledged": 1, "closed": 2}
    return sorted(listed, key=lambda item: (order[item.package.state], item.package.band, item.package.sent_at))


def packages(actor: Actor) -> list[Listed]:
    """What was sent from the console, newest first."""
    rows = _rows().filter(sensitivity__lte=actor.clearance).order_by("-asked_at")[:LIST_LIMIT]
    return _listed(row for row in rows if permit(actor, "referral.view", row))


def packages_of_case(actor: Actor, case_id: UUID) -> list[Listed]:
    """The referrals of one case that the actor may see, newest first."""
    rows = _rows().filter(case_id=case_id).order_by("-asked_at")
    return _listed(row for row in rows if permit(actor, "referral.view", row))


def downloads_of(actor: Actor, package_id: UUID) -> list[DownloadFacts]:
    """Who has taken this package out, newest first: both sides see it. Raises PackageNotFound."""
    row = visible_row(actor, package_id)
    rows = list(Download.objects.filter(package=row).order_by("-at"))
    names = names_of({item.by for item in rows})
    return [DownloadFacts(names.get(item.by, ""), item.at) for item in rows]


# ---- for other rooms and for `vigil trace`: the caller asks permit(actor, "referral.view", facts) ---------------------------
def package_facts(package_id: UUID) -> PackageFacts:
    """One package. Raises PackageNotFound."""
    row = _rows().filter(id=package_id).first()
    if row is None:
        raise PackageNotFound(package_id)
    return facts_of(row)


def packages_of_case_facts(case_id: UUID) -> list[PackageFacts]:
    """Every referral of one case, oldest first."""
    return [facts_of(row) for row in _rows().filter(case_id=case_id).order_by("asked_at", "id")]


def outcome(outcome_id: UUID) -> OutcomeFacts:
    """One outcome. Raises PackageNotFound when there is none."""
    row = Outcome.objects.filter(id=outcome_id).first()
    if row is None:
        raise PackageNotFound(outcome_id)
    return outcome_facts_of(row, package_facts(row.package_id))


def outcomes_of(package_id: UUID) -> list[OutcomeFacts]:
    """The outcomes of one package, oldest first."""
    owner = package_facts(package_id)
    return [outcome_facts_of(row, owner) for row in Outcome.objects.filter(package_id=package_id).order_by("at", "id")]


# ---- for figures: only columns that the role of figures may read --------------------------------------------------------------
def counts_between(since: datetime, until: datetime) -> dict[str, int]:
    """Referrals sent in a period."""
    return {"referrals_sent": Package.objects.filter(sent_at__gte=since, sent_at__lt=until).count()}


def acknowledgement_seconds_between(since: datetime, until: datetime) -> list[float]:
    """For each referral acknowledged in a period: seconds from sending to acknowledging."""
    rows = Package.objects.filter(acknowledged_at__gte=since, acknowledged_at__lt=until)
    times = rows.values_list("sent_at", "acknowledged_at")
    return [(done - sent).total_seconds() for sent, done in times if sent is not None and done is not None]


def outcome_kinds_between(since: datetime, until: datetime) -> list[str]:
    """The kind of each outcome returned in a period."""
    return list(Outcome.objects.filter(at__gte=since, at__lt=until).values_list("kind", flat=True))


# ---- rows to facts ------------------------------------------------------------------------------------------------------------
def _rows() -> Any:
    return Package.objects.only(*_COLUMNS)


def facts_of(row: Package) -> PackageFacts:
    """A row as the facts that leave this room."""
    return PackageFacts(**{name: getattr(row, name) for name in _COLUMNS})


def outcome_facts_of(row: Outcome, owner: Package | PackageFacts) -> OutcomeFacts:
    """An outcome with the sensitivity and the agency of its package."""
    return OutcomeFacts(
        row.id, row.number, row.package_id, owner.sensitivity, owner.agency_id, row.kind, row.by, row.at
    )


def _listed(rows: Iterable[Package]) -> list[Listed]:
    kept = list(rows)
    names = (
        {each.id: each for each in agencies()}
        if len(kept) > 1
        else {row.agency_id: agency(row.agency_id) for row in kept}
    )
    outcomes: dict[UUID, list[OutcomeFacts]] = {}
    owners = {row.id: row for row in kept}
    for item in Outcome.objects.filter(package_id__in=owners).order_by("at", "id"):
        outcomes.setdefault(item.package_id, []).append(outcome_facts_of(item, owners[item.package_id]))
    return [
        Listed(
            facts_of(row),
            names[row.agency_id].name_en,
            names[row.agency_id].name_fr,
            tuple(outcomes.get(row.id, ())),
        )
        for row in kept
    ]
