"""Reads of image help: a person's own case by number and code, and what staff see of cases: codes and counts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import Count

from vigil.accounts.policies import require
from vigil.core import receipts
from vigil.core.actors import Actor
from vigil.core.errors import Invalid
from vigil.core.ids import parse_number
from vigil.imagehelp.errors import HelpCaseNotFound, HelpCaseNotOpened
from vigil.imagehelp.models import HelpCase, HelpFingerprint, HelpLink


@dataclass(frozen=True)
class OpenHelpCase:
    """A case that its person has opened: nothing that depends on what is known about a picture."""

    id: UUID
    number: str
    opened_at: datetime
    language: str
    young: bool
    state: str
    ended_at: datetime | None
    pictures: int
    videos: int
    is_listed: bool

    def __repr__(self) -> str:
        return "OpenHelpCase(...)"


@dataclass(frozen=True)
class HelpCaseSummary:
    """A case as staff and other rooms see it."""

    id: UUID
    number: str
    opened_at: datetime
    language: str
    who: str
    age: str
    threat: str
    report_id: UUID
    state: str
    ended_at: datetime | None
    ended_reason: str
    pictures: int
    videos: int
    links: int

    @property
    def under_18(self) -> bool:
        """Whether the person says that they are in the picture and were under 18 in it."""
        return self.who == "me" and self.age == "under_18"


@dataclass(frozen=True)
class SealedHelpLink:
    """One link or handle, encrypted as a link of the case's report."""

    id: UUID
    kind: str
    value: bytes


def proof_context(case_id: UUID) -> str:
    """What a case's wrapped key is bound to."""
    return f"image help:{case_id}"


def proof_of(number: str, code: str) -> tuple[object, ...] | None:
    """The row behind a number, if the code opens it; a miss takes the time of a wrong code."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, salt, wrapped_key, opened_at, language, young, state, ended_at, pictures, videos, is_listed"
            " FROM imagehelp_case_by_number(%s)",
            [number],
        )
        row = cursor.fetchone()
    if row is None:
        receipts.unwrap_nothing(code)
        return None
    opened = receipts.unwrap(bytes(row[2]), secret=code, salt=bytes(row[1]), context=proof_context(row[0]))
    return row if opened is not None else None


def read_case(*, number: str, code: str) -> OpenHelpCase:
    """Open a case with number and code. Raises HelpCaseNotOpened for every reason alike, after the same work."""
    try:
        canonical = parse_number(number)
    except Invalid:
        canonical = ""
    row = proof_of(canonical, receipts.parse_secret(code))
    if row is None:
        raise HelpCaseNotOpened()
    case_id, _salt, _wrapped, opened_at, language, young, state, ended_at, pictures, videos, is_listed = row
    return OpenHelpCase(case_id, canonical, opened_at, language, young, state, ended_at, pictures, videos, is_listed)  # type: ignore[arg-type]


def case_summary(case_id: UUID) -> HelpCaseSummary:
    """One case's codes and counts. Raises HelpCaseNotFound."""
    case = HelpCase.objects.filter(id=case_id).first()
    if case is None:
        raise HelpCaseNotFound(case_id)
    return _summaries([case])[0]


def case_of_fingerprint(fingerprint_id: UUID) -> HelpCaseSummary | None:
    """The case that a declared fingerprint belongs to."""
    row = HelpFingerprint.objects.filter(id=fingerprint_id).values_list("case_id", flat=True).first()
    return case_summary(row) if row is not None else None


def case_of_report(report_id: UUID) -> HelpCaseSummary | None:
    """The case that became a report."""
    case = HelpCase.objects.filter(report_id=report_id).first()
    return _summaries([case])[0] if case is not None else None


def cases(actor: Actor, *, state: str = "", limit: int = 200, offset: int = 0) -> list[HelpCaseSummary]:
    """Cases for staff, newest first."""
    require(actor, "imagehelp.view")
    rows = HelpCase.objects.order_by("-opened_at")
    return _summaries(list((rows.filter(state=state) if state else rows)[offset : offset + limit]))


def case_by_number(actor: Actor, number: str) -> HelpCaseSummary:
    """One case for staff. Raises HelpCaseNotFound."""
    require(actor, "imagehelp.view")
    case = HelpCase.objects.filter(number=number).first()
    if case is None:
        raise HelpCaseNotFound(number)
    return _summaries([case])[0]


def links_of(case_id: UUID) -> list[SealedHelpLink]:
    """A case's links and handles, encrypted, in the order they were given."""
    rows = HelpLink.objects.filter(case_id=case_id).order_by("position")
    return [SealedHelpLink(row.id, row.kind, bytes(row.value)) for row in rows]


def _summaries(rows: list[HelpCase]) -> list[HelpCaseSummary]:
    wanted = [row.id for row in rows]
    by_kind = HelpFingerprint.objects.filter(case_id__in=wanted).values_list("case_id", "kind").annotate(n=Count("id"))
    made = {(case_id, kind): count for case_id, kind, count in by_kind}
    links = dict(HelpLink.objects.filter(case_id__in=wanted).values_list("case_id").annotate(n=Count("id")))
    return [
        HelpCaseSummary(
            row.id, row.number, row.opened_at, row.language, row.who, row.age, row.threat, row.report_id, row.state,
            row.ended_at, row.ended_reason, made.get((row.id, "pdq"), 0), made.get((row.id, "md5"), 0), links.get(row.id, 0),
        )
        for row in rows
    ]  # fmt: skip
