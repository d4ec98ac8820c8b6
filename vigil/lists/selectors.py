"""Reads of the list: frozen facts, never half-built querysets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection

from vigil.accounts.policies import require
from vigil.accounts.selectors import person, same_human
from vigil.core.actors import Actor
from vigil.lists.errors import EntryNotFound, FeedDamaged
from vigil.lists.models import Assessment, Declared, DeclaredFeedRow, Entry, FeedCounter, FeedRow, Look


@dataclass(frozen=True)
class EntryFacts:
    """An entry as other rooms see it."""

    id: UUID
    number: str
    state: str
    sha256: bytes
    md5: bytes
    pdq: bytes
    pdq_quality: int
    classification: str
    candidate_id: UUID
    place_id: UUID
    incident_id: UUID
    case_id: UUID | None
    sensitivity: int
    proposed_by_id: UUID
    proposed_at: datetime
    decided_at: datetime | None
    withdrawn_at: datetime | None
    withdrawn_by_id: UUID | None
    withdrawn_reason: str


@dataclass(frozen=True)
class AssessmentFacts:
    """One verdict, with its look."""

    assessor_id: UUID
    verdict: str
    looked_at: datetime | None
    decided_at: datetime


@dataclass(frozen=True)
class FeedTip:
    """Which row of the feed is the last one. Two feeds with one tip have the same history: entry ids are never given twice."""

    version: int
    entry_id: UUID | None
    change: str


@dataclass(frozen=True)
class FeedChange:
    """One row of the feed."""

    version: int
    entry_id: UUID
    change: str
    at: datetime
    sha256: bytes
    md5: bytes
    pdq: bytes
    classification: str


def entry(entry_id: UUID) -> EntryFacts:
    """One entry. Raises EntryNotFound."""
    row = Entry.objects.filter(id=entry_id).first()
    if row is None:
        raise EntryNotFound(entry_id)
    return facts_of(row)


def entry_by_number(number: str) -> EntryFacts:
    """One entry by its public number. Raises EntryNotFound."""
    row = Entry.objects.filter(number=number).first()
    if row is None:
        raise EntryNotFound(number)
    return facts_of(row)


def entries(actor: Actor, *, state: str | None = None, limit: int = 200) -> list[EntryFacts]:
    """Entries that this actor may see, newest first."""
    require(actor, "entry.view")
    rows = Entry.objects.filter(sensitivity__lte=actor.clearance).order_by("-proposed_at")
    if state is not None:
        rows = rows.filter(state=state)
    return [facts_of(row) for row in rows[:limit]]


def entries_of_incident(incident_id: UUID) -> list[EntryFacts]:
    """What was proposed out of one incident, oldest first."""
    return [facts_of(row) for row in Entry.objects.filter(incident_id=incident_id).order_by("proposed_at")]


def entries_to_assess(actor: Actor, *, limit: int = 200) -> list[EntryFacts]:
    """Proposed entries that this human being may still assess: not their own, not assessed by them, oldest first.

    Whoever has looked and not yet decided still finds the entry here.
    """
    require(actor, "entry.assess")
    rows = list(
        Entry.objects.filter(state=Entry.State.PROPOSED, sensitivity__lte=actor.clearance)
        .exclude(proposed_by_id=actor.id)
        .exclude(assessments__identity_id=person(actor.id).identity_id)
        .order_by("proposed_at")[:limit]
    )
    own_accounts = {proposer for proposer in {row.proposed_by_id for row in rows} if same_human(proposer, actor.id)}
    return [facts_of(row) for row in rows if row.proposed_by_id not in own_accounts]


def assessments(entry_id: UUID) -> list[AssessmentFacts]:
    """The verdicts on one entry, oldest first."""
    rows = Assessment.objects.filter(entry_id=entry_id).select_related("look").order_by("decided_at")
    return [AssessmentFacts(row.assessor_id, row.verdict, row.look.delivered_at, row.decided_at) for row in rows]


def has_looked(actor: Actor, entry_id: UUID) -> bool:
    """Whether the preview has reached this person."""
    return Look.objects.filter(entry_id=entry_id, assessor_id=actor.id, delivered_at__isnull=False).exists()


def published_state(entry_id: UUID) -> str:
    """`published`, `withdrawn`, `proposed` or `refused`. Raises EntryNotFound."""
    state = Entry.objects.filter(id=entry_id).values_list("state", flat=True).first()
    if state is None:
        raise EntryNotFound(entry_id)
    return str(state)


def feed_version() -> int:
    """The feed's last version; 0 before the first."""
    return FeedCounter.objects.values_list("version", flat=True).first() or 0


def feed_tip() -> FeedTip:
    """The last row of the feed, in one cheap query. Raises FeedDamaged when the row that the counter names is not there."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT counter.version, last.entry_id, last.change FROM lists_feedcounter counter"
            " LEFT JOIN lists_feedrow last ON last.version = counter.version"
        )
        row = cursor.fetchone()
    if row is None or row[0] == 0:
        return FeedTip(0, None, "")
    version, entry_id, change = row
    if entry_id is None:
        raise FeedDamaged(version)
    return FeedTip(version, entry_id, change)


def feed_since(version: int, *, limit: int = 1000) -> list[FeedChange]:
    """Changes after a version, in order. Versions have no gaps, so the next call goes on from the last one seen."""
    rows = FeedRow.objects.filter(version__gt=version).order_by("version")[:limit]
    return [
        FeedChange(
            row.version,
            row.entry_id,
            row.change,
            row.at,
            bytes(row.sha256),
            bytes(row.md5),
            bytes(row.pdq),
            row.classification,
        )
        for row in rows
    ]


def withdrawn_among(entry_ids: Iterable[UUID]) -> set[UUID]:
    """Those of the entries that were withdrawn, by the feed."""
    rows = FeedRow.objects.filter(entry_id__in=list(entry_ids), change=FeedRow.Change.WITHDRAW)
    return set(rows.values_list("entry_id", flat=True))


def facts_of(row: Entry) -> EntryFacts:
    """The facts of an entry's row."""
    return EntryFacts(
        id=row.id, number=row.number, state=row.state, sha256=bytes(row.sha256), md5=bytes(row.md5), pdq=bytes(row.pdq),
        pdq_quality=row.pdq_quality, classification=row.classification, candidate_id=row.candidate_id, place_id=row.place_id,
        incident_id=row.incident_id, case_id=row.case_id, sensitivity=row.sensitivity, proposed_by_id=row.proposed_by_id,
        proposed_at=row.proposed_at, decided_at=row.decided_at, withdrawn_at=row.withdrawn_at,
        withdrawn_by_id=row.withdrawn_by_id, withdrawn_reason=row.withdrawn_reason,
    )  # fmt: skip


def changes_between(since: datetime, until: datetime) -> list[str]:
    """`publish` or `withdraw` of each feed row in [since, until): figures count these."""
    rows = FeedRow.objects.filter(at__gte=since, at__lt=until)
    return list(rows.order_by("version").values_list("change", flat=True))


# ---- fingerprints that people declare themselves ------------------------------------------------------------------------
@dataclass(frozen=True)
class DeclaredFacts:
    """One declared fingerprint, as the index and matching again need it."""

    id: UUID
    case_id: UUID
    kind: str
    value: bytes
    quality: int | None


@dataclass(frozen=True)
class DeclaredTip:
    """The last row of the declared feed."""

    version: int
    declared_id: UUID | None


def declared_tip() -> DeclaredTip:
    """Where the declared feed ends, in one cheap query."""
    row = DeclaredFeedRow.objects.order_by("-version").values_list("version", "declared_id").first()
    return DeclaredTip(*row) if row else DeclaredTip(0, None)


def has_declared_row(tip: DeclaredTip) -> bool:
    """Whether the declared feed has this very row, so that all before it are the same too."""
    if tip.declared_id is None:
        return True
    return DeclaredFeedRow.objects.filter(version=tip.version, declared_id=tip.declared_id).exists()


def declared_changes(*, after: int, until: int) -> list[tuple[str, DeclaredFacts]]:
    """(`publish` or `withdraw`, fingerprint) of each row of the declared feed in (after, until], in order."""
    rows = DeclaredFeedRow.objects.filter(version__gt=after, version__lte=until).order_by("version")
    return [(row.change, _declared(row.declared)) for row in rows.select_related("declared")]


def declared_of_case(case_id: UUID) -> list[DeclaredFacts]:
    """The fingerprints of a case that are listed now."""
    return [_declared(row) for row in Declared.objects.filter(case_id=case_id, withdrawn_at=None).order_by("id")]


def is_declared(declared_id: UUID) -> bool:
    """Whether a fingerprint is listed now."""
    return Declared.objects.filter(id=declared_id, withdrawn_at=None).exists()


def _declared(row: Declared) -> DeclaredFacts:
    return DeclaredFacts(row.id, row.case_id, row.kind, bytes(row.value), row.quality)
