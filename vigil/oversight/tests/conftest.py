"""A country's worth of rows for figures: arranged as owner, counted as the statistics role."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from vigil.accounts.factories import make_agency
from vigil.casework.tests.factories import make_case, make_incidents
from vigil.core.actors import process_actor
from vigil.core.ids import issue_number, new_id
from vigil.crawl.models import Sighting
from vigil.oversight import services
from vigil.oversight.models import Release
from vigil.referral.models import Outcome, Package
from vigil.removal.models import Notice, NoticeCheck, Provider, Removal
from vigil.removal.tests.factories import make_published_entry, make_sighting

MONDAY = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
STATISTICS = process_actor("statistics")


@dataclass
class Country:
    """Makes rows of every link of the chain."""

    role: Any
    owner: Any
    settings: Any
    make_person: Any

    def reports(
        self, count: int, *, situations: Iterable[str] = ("seen_material",), at: datetime = MONDAY, **changes: Any
    ) -> None:
        answers = {"danger": "no", "who": "saw", "situations": list(situations)}
        with self.owner():
            for _ in range(count):
                make_incidents(answers=answers, at=at, links=(), narrative="", **changes)

    def entries(self, count: int) -> list[UUID]:
        return [make_published_entry(self.make_person, self.role) for _ in range(count)]

    def sightings(self, count: int, entry_id: UUID, *, match: str = "exact", at: datetime = MONDAY) -> list[UUID]:
        decided_by = None if match == "exact" else process_actor("test").id
        return [
            make_sighting(self.owner, self.settings, entry_id, match=match, seen_at=at, decided_by=decided_by)
            for _ in range(count)
        ]

    def removals(self, sighting_ids: Iterable[UUID], *, hours: float, at: datetime = MONDAY) -> None:
        """Each sighting's notice was sent at `at` and the place found gone after `hours`."""
        gone_at = at + timedelta(hours=hours)
        with self.owner():
            provider, _ = Provider.objects.get_or_create(
                abuse_email="abuse@hosting.example",
                defaults={"name": "Example Hosting", "source": "rdap.ip", "found_at": at},
            )
            for sighting in Sighting.objects.filter(id__in=list(sighting_ids)):
                notice_id, removal_id = new_id(), new_id()
                notice = Notice.objects.create(
                    id=notice_id, number=issue_number("notice", notice_id), entry_id=sighting.entry_id, sighting_id=sighting.id,
                    last_sighting_id=sighting.id, place_id=sighting.place_id, place_sealed=b"x", exact=True, provider=provider,
                    state="removed", first_seen_at=at, opened_at=at, sent_at=at, round_seen_at=at, round_sent_at=at,
                    closed_at=gone_at + timedelta(hours=6),
                )  # fmt: skip
                first, second = (
                    NoticeCheck.objects.create(id=new_id(), notice=notice, asked_at=when, done_at=when, verdict="down")
                    for when in (gone_at, gone_at + timedelta(hours=6))
                )
                Removal.objects.create(
                    id=removal_id, number=issue_number("removal", removal_id), notice=notice, provider=provider, first_seen_at=at,
                    notice_sent_at=at, first_down_at=gone_at, first_down_check=first, confirmed_at=gone_at + timedelta(hours=6),
                    confirming_check=second,
                )  # fmt: skip

    def referrals(
        self, count: int, *, hours_to_acknowledge: float | None = 1, outcome: str = "", at: datetime = MONDAY
    ) -> None:
        with self.owner():
            agency_id, case = make_agency(), make_case()
            for _ in range(count):
                package_id, outcome_id = new_id(), new_id()
                row = Package.objects.create(
                    id=package_id, number=issue_number("referral", package_id), case_id=case.id, case_number=case.number,
                    agency_id=agency_id, sensitivity=1, band=3, language="en", state="sent", asked_by=new_id(), asked_at=at,
                    sealed=b"x", size_bytes=1, manifest={}, manifest_digest="0" * 64, pages=1, sent_at=at,
                )  # fmt: skip
                if hours_to_acknowledge is not None:
                    row.acknowledged_at, row.acknowledged_by = at + timedelta(hours=hours_to_acknowledge), new_id()
                    row.state = "acknowledged"
                    row.save()
                if outcome:
                    Outcome.objects.create(
                        id=outcome_id,
                        number=issue_number("outcome", outcome_id),
                        package=row,
                        kind=outcome,
                        by=new_id(),
                        at=at,
                    )

    def release(self, at: datetime) -> Release:
        with self.role("vigil_stats"):
            return services.release(actor=STATISTICS, at=at)


@pytest.fixture
def country(db: None, role: Any, owner: Any, settings: Any, make_person: Any) -> Country:
    return Country(role, owner, settings, make_person)
