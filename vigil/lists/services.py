"""Commands of the list. Each is one transaction and one audit row; the second "illegal" of two people publishes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from vigil.accounts.policies import require
from vigil.accounts.selectors import person
from vigil.audit import services as audit
from vigil.core.actors import Actor
from vigil.core.events import emit
from vigil.core.ids import issue_number, new_id
from vigil.lists import policies
from vigil.lists.errors import (
    AlreadyAnEntry,
    AlreadyLooked,
    BadVerdict,
    EntryNotFound,
    EntryNotOpen,
    EntryNotPublished,
    ListedOutOfSight,
    LookExpired,
    NotIndependent,
    NotLooked,
)
from vigil.lists.models import Assessment, Declared, DeclaredFeedRow, Entry, FeedCounter, FeedRow, Look

LOOK_TICKET_SECONDS = 300
CLASSIFICATIONS = ("baseline", "national", "harmful")


@dataclass(frozen=True)
class CandidateFacts:
    """What the crawler found at a reported place: hashes and where, by id."""

    candidate_id: UUID
    place_id: UUID
    incident_id: UUID
    case_id: UUID | None
    sha256: bytes
    md5: bytes
    pdq: bytes
    quality: int
    sensitivity: int = 1


@dataclass(frozen=True)
class LookTicket:
    """Permission for one preview: of this entry, for this person, for five minutes."""

    id: UUID
    entry_id: UUID
    place_id: UUID
    sha256: bytes
    pdq: bytes


@transaction.atomic
def propose_entry(*, actor: Actor, candidate: CandidateFacts, classification: str, at: datetime) -> Entry:
    """Ask for an assessment of a file that the crawler found, which is listed once, whatever became of it.

    Raises NotPermitted, AlreadyAnEntry (with its number), ListedOutOfSight (it is above the actor's clearance).
    """
    require(actor, "entry.propose", candidate)
    if classification not in CLASSIFICATIONS:
        raise BadVerdict(fields={"classification": "entry.bad_classification"}, code="entry.bad_classification")
    _refuse_listed(candidate.sha256)
    entry_id = new_id()
    try:
        with transaction.atomic():
            entry = Entry.objects.create(
                id=entry_id,
                number=issue_number("entry", entry_id),
                sha256=candidate.sha256,
                md5=candidate.md5,
                pdq=candidate.pdq,
                pdq_quality=candidate.quality,
                classification=classification,
                candidate_id=candidate.candidate_id,
                place_id=candidate.place_id,
                incident_id=candidate.incident_id,
                case_id=candidate.case_id,
                sensitivity=candidate.sensitivity,
                proposed_by_id=actor.id,
                proposed_at=at,
            )
    except IntegrityError as exc:
        # Somebody was faster; or the entry is one that this person does not see, and the unique index does.
        _refuse_listed(candidate.sha256)
        raise ListedOutOfSight() from exc
    emit("lists.entry_proposed", entry.id, actor=actor, at=at)
    audit.record(
        actor=actor,
        action="entry.propose",
        subject_kind="entry",
        subject_id=entry.id,
        at=at,
        data={"classification": classification},
    )
    return entry


@transaction.atomic
def start_look(*, actor: Actor, entry_id: UUID, at: datetime) -> LookTicket:
    """Permit one look at the place of an entry. Raises EntryNotOpen, NotIndependent, AlreadyLooked, NotPermitted."""
    entry = _lock_entry(entry_id)
    require(actor, "entry.look", entry)
    _require_open_and_independent(actor, entry)
    if Look.objects.filter(entry=entry, assessor_id=actor.id, delivered_at__isnull=False).exists():
        raise AlreadyLooked(entry_id)
    look = Look.objects.create(entry=entry, assessor_id=actor.id, started_at=at)
    audit.record(
        actor=actor, action="entry.look", subject_kind="entry", subject_id=entry.id, at=at, data={"look": str(look.id)}
    )
    return LookTicket(look.id, entry.id, entry.place_id, bytes(entry.sha256), bytes(entry.pdq))


@transaction.atomic
def mark_look_delivered(*, actor: Actor, look_id: UUID, at: datetime) -> None:
    """The preview is about to leave for the assessor's screen: it will not be made again. Raises AlreadyLooked, LookExpired."""
    look = Look.objects.select_for_update().filter(id=look_id, assessor_id=actor.id).first()
    if look is None:
        raise EntryNotFound(look_id)
    if Look.objects.filter(entry_id=look.entry_id, assessor_id=actor.id, delivered_at__isnull=False).exists():
        raise AlreadyLooked(look_id)
    if at - look.started_at > timedelta(seconds=LOOK_TICKET_SECONDS):
        raise LookExpired(look_id)
    look.delivered_at = at
    look.save(update_fields=["delivered_at"])
    audit.record(
        actor=actor,
        action="entry.look_delivered",
        subject_kind="entry",
        subject_id=look.entry_id,
        at=at,
        data={"look": str(look_id)},
    )


@transaction.atomic
def decide_assessment(*, actor: Actor, entry_id: UUID, verdict: str, at: datetime) -> Entry:
    """Record one person's verdict after their look; the second "illegal" of different people publishes the entry.

    Raises NotPermitted, EntryNotOpen, NotIndependent, NotLooked, BadVerdict.
    """
    entry = _lock_entry(entry_id)
    require(actor, "entry.assess", entry)
    if verdict not in Assessment.Verdict.values:
        raise BadVerdict(fields={"verdict": "entry.bad_verdict"})
    _require_open_and_independent(actor, entry)
    look = Look.objects.filter(entry=entry, assessor_id=actor.id, delivered_at__isnull=False).first()
    if look is None:
        raise NotLooked(entry_id)
    Assessment.objects.create(
        entry=entry,
        assessor_id=actor.id,
        identity_id=person(actor.id).identity_id,
        look=look,
        verdict=verdict,
        decided_at=at,
    )
    _settle(entry, actor=actor, at=at)
    audit.record(
        actor=actor, action="entry.assess", subject_kind="entry", subject_id=entry.id, at=at,
        data={"verdict": verdict, "state": entry.state},
    )  # fmt: skip
    return entry


@transaction.atomic
def withdraw_entry(*, actor: Actor, entry_id: UUID, reason: str, at: datetime) -> Entry:
    """Take a published entry back: a tombstone in the feed, out of every answer at once. Raises EntryNotPublished."""
    entry = _lock_entry(entry_id)
    require(actor, "entry.withdraw", entry)
    if entry.state != Entry.State.PUBLISHED:
        raise EntryNotPublished(entry_id)
    entry.state, entry.withdrawn_at, entry.withdrawn_by_id, entry.withdrawn_reason = (
        Entry.State.WITHDRAWN,
        at,
        actor.id,
        reason[:64],
    )
    entry.save(update_fields=["state", "withdrawn_at", "withdrawn_by", "withdrawn_reason"])
    version = _append_to_feed(entry, FeedRow.Change.WITHDRAW, at)
    emit("lists.entry_withdrawn", entry.id, actor=actor, at=at)
    audit.record(
        actor=actor,
        action="entry.withdraw",
        subject_kind="entry",
        subject_id=entry.id,
        at=at,
        data={"version": version},
    )
    return entry


def _refuse_listed(sha256: bytes) -> None:
    listed = Entry.objects.filter(sha256=sha256).values_list("number", flat=True).first()
    if listed is not None:
        raise AlreadyAnEntry(listed)


def _settle(entry: Entry, *, actor: Actor, at: datetime) -> None:
    state = policies.state_after(entry.assessments.values_list("verdict", flat=True))
    if state == Entry.State.PROPOSED:
        return
    entry.state, entry.decided_at = state, at
    entry.save(update_fields=["state", "decided_at"])
    if state == Entry.State.PUBLISHED:
        _append_to_feed(entry, FeedRow.Change.PUBLISH, at)
        emit("lists.entry_published", entry.id, actor=actor, at=at)
    else:
        emit("lists.entry_refused", entry.id, actor=actor, at=at)


def _append_to_feed(entry: Entry, change: str, at: datetime) -> int:
    # The counter's row stays locked until commit: versions are gapless and in the order of commits.
    counter = FeedCounter.objects.select_for_update().get()
    counter.version += 1
    counter.save(update_fields=["version"])
    FeedRow.objects.create(
        version=counter.version, entry=entry, change=change, at=at, sha256=entry.sha256, md5=entry.md5, pdq=entry.pdq,
        classification=entry.classification,
    )  # fmt: skip
    return counter.version


def _lock_entry(entry_id: UUID) -> Entry:
    entry = Entry.objects.select_for_update(of=("self",)).filter(id=entry_id).first()
    if entry is None:
        raise EntryNotFound(entry_id)
    return entry


def _require_open_and_independent(actor: Actor, entry: Entry) -> None:
    if entry.state != Entry.State.PROPOSED:
        raise EntryNotOpen(entry.id)
    earlier = entry.assessments.values_list("identity_id", flat=True)
    proposer = person(entry.proposed_by_id).identity_id
    if not policies.is_independent(
        person(actor.id).identity_id, proposer_identity=proposer, earlier_identities=earlier
    ):
        raise NotIndependent(entry.id)


# ---- fingerprints that people declare themselves: a list of its own ------------------------------------------------------
@dataclass(frozen=True)
class DeclaredFingerprint:
    """One fingerprint of an image-help case: `kind` pdq (32 bytes, with a quality) or md5 (16 bytes)."""

    id: UUID
    kind: str
    value: bytes
    quality: int | None


def lock_declared_feed() -> None:
    """Whoever changes the declared fingerprints waits here for the others, until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT lists_lock_declared_feed()")


@transaction.atomic
def declare(*, actor: Actor, case_id: UUID, fingerprints: Sequence[DeclaredFingerprint], at: datetime) -> int:
    """List a case's fingerprints as declared, each with a row of the declared feed. Those that were listed before stay as
    they are, so that it is safe to run twice. Emits `lists.declared` for the case; returns how many are new."""
    lock_declared_feed()
    known = set(Declared.objects.filter(case_id=case_id).values_list("id", flat=True))
    new = [one for one in fingerprints if one.id not in known]
    if not new:
        return 0
    Declared.objects.bulk_create(
        Declared(id=one.id, case_id=case_id, kind=one.kind, value=one.value, quality=one.quality, listed_at=at)
        for one in new
    )
    last = DeclaredFeedRow.objects.order_by("-version").values_list("version", flat=True).first() or 0
    DeclaredFeedRow.objects.bulk_create(
        DeclaredFeedRow(version=version, declared_id=one.id, change="publish", at=at, kind=one.kind, value=one.value)
        for version, one in enumerate(new, start=last + 1)
    )
    emit("lists.declared", case_id, actor=actor, at=at)
    audit.record(
        actor=actor, action="declared.list", subject_kind="image_help", subject_id=case_id, at=at,
        data={"fingerprints": len(new)},
    )  # fmt: skip
    return len(new)


@transaction.atomic
def withdraw_declared(*, case_id: UUID, at: datetime) -> int:
    """Take a case's fingerprints out of every look-up, with a tombstone each; returns how many. The caller audits."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT lists_withdraw_declared(%s, %s)", [case_id, at])
        return int(cursor.fetchone()[0])
