"""Commands of referrals: ask for a package, build and send it, read it, acknowledge it, return an outcome."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from vigil.accounts.policies import require, require_fresh
from vigil.accounts.selectors import AgencyFacts, actor_by_id, agency
from vigil.audit import services as audit
from vigil.core import keyd
from vigil.core.actors import Actor
from vigil.core.crypto import new_data_key
from vigil.core.errors import NotFound, VigilError
from vigil.core.events import emit
from vigil.core.ids import format_number, issue_number, new_id
from vigil.referral import compose, readme, selectors
from vigil.referral.errors import (
    AgencyUnknown,
    AlreadySent,
    NotAcknowledgedYet,
    NothingToRefer,
    OutcomeUnknown,
    PackageNotFound,
    PackageTooLarge,
    PackageUnreadable,
)
from vigil.referral.models import OUTCOME_KINDS, Download, Outcome, Package
from vigil.referral.selectors import OutcomeFacts, PackageFacts
from vigil.referral.wire import case_bundle, manifest, one_page_pdf
from vigil.referral.wire.contents import Contents, from_json, to_json

FACTS, BUNDLE, SUMMARY, README = "facts.json", "case.jsonld", "summary.pdf", "README.txt"
# The event's job builds a package at once; should it be lost, the tick finds the package after this.
FIRST_TRY_BY_TICK_SECONDS = 30
MAX_BACKOFF_SECONDS = 900


@dataclass(frozen=True, slots=True)
class OpenedPackage:
    """A package and what it says, opened for one person."""

    package: PackageFacts
    contents: Contents

    def __repr__(self) -> str:
        return "OpenedPackage(...)"


# ---- the sending side -------------------------------------------------------------------------------------------------------
@transaction.atomic
def send_package(*, actor: Actor, package_id: UUID, case_id: UUID, agency_id: UUID, at: datetime) -> PackageFacts:
    """Ask for a referral of a case to an agency: the worker builds the package and sends it, in this person's name.

    `package_id` comes from the form, so that a second press of the button finds the first one's package. Raises CaseNotFound,
    NotPermitted, StepUpNeeded, AgencyUnknown, NothingToRefer.
    """
    case = compose.case_for(actor, case_id)
    require(actor, "referral.send", case)
    require_fresh(actor)
    asked_before = Package.objects.filter(id=package_id).first()
    if asked_before is not None:
        return _the_same(asked_before, case_id, agency_id)
    if not case.incident_count:
        raise NothingToRefer(case_id)
    receiver = _agency(agency_id)
    try:
        with transaction.atomic():
            row = Package.objects.create(
                id=package_id,
                number=issue_number("referral", package_id),
                case_id=case_id,
                case_number=case.number,
                agency_id=agency_id,
                sensitivity=case.sensitivity,
                band=case.band,
                language=language_of(receiver),
                asked_by=actor.id,
                asked_at=at,
                next_try_at=at + timedelta(seconds=FIRST_TRY_BY_TICK_SECONDS),
            )
    except IntegrityError:
        return _the_same(Package.objects.get(id=package_id), case_id, agency_id)
    emit("referral.asked", row.id, actor=actor, at=at)
    audit.record(
        actor=actor,
        action="referral.send",
        subject_kind="referral",
        subject_id=row.id,
        at=at,
        data={"case": str(case_id), "agency": str(agency_id)},
    )
    return selectors.facts_of(row)


def _the_same(row: Package, case_id: UUID, agency_id: UUID) -> PackageFacts:
    if (row.case_id, row.agency_id) != (case_id, agency_id):
        raise AlreadySent(row.id)
    return selectors.facts_of(row)


def _agency(agency_id: UUID) -> AgencyFacts:
    try:
        return agency(agency_id)
    except NotFound as exc:
        raise AgencyUnknown(agency_id, fields={"agency": AgencyUnknown.code}) from exc


def language_of(receiver: AgencyFacts) -> str:
    """The language an agency works in: French in Quebec, English elsewhere; the other one stands beside it on every page."""
    return "fr" if receiver.region.upper() == "CA-QC" else "en"


def try_to_build(*, package_id: UUID, at: datetime) -> bool:
    """Build and send one package; True when it left now. A failure is noted with the package and tried again later."""
    try:
        with transaction.atomic():
            return _build(package_id, at)
    except VigilError as failure:
        _note_failure(package_id, failure.code, at)
        return False


@transaction.atomic
def _note_failure(package_id: UUID, code: str, at: datetime) -> None:
    row = Package.objects.select_for_update().filter(id=package_id, state="draft").first()
    if row is None:
        return
    row.attempts += 1
    row.last_failure = code
    row.next_try_at = at + timedelta(seconds=min(MAX_BACKOFF_SECONDS, 2**row.attempts))
    row.save(update_fields=["attempts", "last_failure", "next_try_at"])


def _build(package_id: UUID, at: datetime) -> bool:
    row = Package.objects.select_for_update(skip_locked=True).filter(id=package_id, state="draft").first()
    if row is None:
        return False
    sender = actor_by_id(row.asked_by)
    contents = compose.contents_of(row, sender=sender, at=at)
    page = one_page_pdf.render(contents)
    files = {
        FACTS: to_json(contents),
        BUNDLE: case_bundle.render(contents),
        SUMMARY: page.pdf,
        README: readme.text(contents),
    }
    package, document = manifest.pack(files, number=format_number(row.number))
    if len(package) > manifest.MAX_PACKAGE_BYTES:
        raise PackageTooLarge(len(package))
    key = new_data_key(record_id=row.id, klass="referral")
    # A case never becomes less protected; what was learned since the button was pressed counts.
    row.sensitivity = max(row.sensitivity, compose.case_for(sender, row.case_id).sensitivity)
    row.sealed = key.encrypt_bytes(package, table="referral_package", column="sealed", row_id=row.id)
    row.size_bytes = len(package)
    row.manifest = _plain(document)
    row.manifest_digest = manifest.digest_of(document)
    row.pages = page.pages
    row.state, row.sent_at, row.next_try_at, row.last_failure = "sent", at, None, ""
    row.save(
        update_fields=[
            "sensitivity", "sealed", "size_bytes", "manifest", "manifest_digest", "pages", "state", "sent_at", "next_try_at",
            "last_failure",
        ]
    )  # fmt: skip
    emit("referral.sent", row.id, actor=sender, at=at)
    audit.record(
        actor=sender,
        action="referral.sent",
        subject_kind="referral",
        subject_id=row.id,
        at=at,
        data={
            "agency": str(row.agency_id),
            "case": str(row.case_id),
            "digest": row.manifest_digest,
            "places": len(contents.places),
            "fingerprints": len(contents.fingerprints),
        },
    )
    return True


def _plain(document: bytes) -> Any:
    import json

    return json.loads(document)


# ---- reading, on both sides --------------------------------------------------------------------------------------------------
@transaction.atomic
def open_package(*, actor: Actor, package_id: UUID, at: datetime) -> OpenedPackage:
    """What a sent package says. The opening is audited, by the key process and here.

    Raises PackageNotFound (also for another agency's officer), NotSentYet, PackageUnreadable, keyd's errors.
    """
    row = selectors.visible_row(actor, package_id, must_be_sent=True)
    contents = from_json(manifest.unpack(_opened(row, actor))[FACTS])
    _record(actor, "referral.view", row, at)
    return OpenedPackage(selectors.facts_of(row), contents)


@transaction.atomic
def download_package(*, actor: Actor, package_id: UUID, at: datetime) -> bytes:
    """The package as it was sent, byte for byte. Who took it and when is recorded for both sides to see."""
    row = selectors.visible_row(actor, package_id, must_be_sent=True)
    package = _opened(row, actor)
    if manifest.verify(package, expected_digest=row.manifest_digest):
        raise PackageUnreadable(row.id)
    Download.objects.create(package=row, by=actor.id, at=at)
    _record(actor, "referral.download", row, at)
    return package


def _opened(row: Package, actor: Actor) -> bytes:
    key = keyd.open_key(
        record_id=row.id, klass="referral", purpose="referral.view", actor=actor, ticket=format_number(row.number)
    )
    return key.decrypt_bytes(bytes(row.sealed or b""), table="referral_package", column="sealed", row_id=row.id)


# ---- the receiving side -------------------------------------------------------------------------------------------------------
@transaction.atomic
def acknowledge(*, actor: Actor, package_id: UUID, at: datetime) -> PackageFacts:
    """Say that the agency has the package. A second time changes nothing and is no error.

    Raises PackageNotFound (also for another agency's officer), NotPermitted.
    """
    row = _locked(actor, package_id, "referral.acknowledge")
    if row.state == "sent":
        row.state, row.acknowledged_by, row.acknowledged_at = "acknowledged", actor.id, at
        row.save(update_fields=["state", "acknowledged_by", "acknowledged_at"])
        emit("referral.acknowledged", row.id, actor=actor, at=at)
        _record(actor, "referral.acknowledge", row, at)
    return selectors.facts_of(row)


@transaction.atomic
def return_outcome(*, actor: Actor, package_id: UUID, kind: str, at: datetime) -> OutcomeFacts:
    """Say what came of a package. The same outcome a second time changes nothing; another one is added.

    Raises PackageNotFound, NotPermitted, NotAcknowledgedYet, OutcomeUnknown.
    """
    row = _locked(actor, package_id, "referral.outcome")
    if kind not in OUTCOME_KINDS:
        raise OutcomeUnknown(kind, fields={"kind": OutcomeUnknown.code})
    if row.state == "sent":
        raise NotAcknowledgedYet(row.id)
    returned_before = Outcome.objects.filter(package=row, kind=kind).first()
    if returned_before is not None:
        return selectors.outcome_facts_of(returned_before, row)
    outcome_id = new_id()
    outcome = Outcome.objects.create(
        id=outcome_id, number=issue_number("outcome", outcome_id), package=row, kind=kind, by=actor.id, at=at
    )
    if row.state != "closed":
        row.state = "closed"
        row.save(update_fields=["state"])
    emit("referral.outcome_returned", outcome.id, actor=actor, at=at)
    _record(actor, "referral.outcome", row, at, outcome=str(outcome.id), kind=kind)
    return selectors.outcome_facts_of(outcome, row)


def _locked(actor: Actor, package_id: UUID, action: Any) -> Package:
    selectors.visible_row(actor, package_id)
    row = Package.objects.select_for_update().filter(id=package_id).first()
    if row is None:
        raise PackageNotFound(package_id)
    require(actor, action, row)
    return row


def _record(actor: Actor, action: str, row: Package, at: datetime, **data: str) -> None:
    audit.record(actor=actor, action=action, subject_kind="referral", subject_id=row.id, at=at, data=data)
