"""A published entry, a confirmed sighting, real mail and RDAP servers on loopback, and a driver that plays worker and crawl."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from vigil.core import clock
from vigil.removal import services
from vigil.removal.models import Notice
from vigil.removal.tests.factories import finish_check, make_published_entry, make_sighting
from vigil_demo.mail import MailServer
from vigil_demo.rdap import Organisation, RdapServer, Registry

HOSTING = Organisation("HOSTING-7", "Example Hosting", "abuse@hosting.example", "CA")


@pytest.fixture
def mail_server(settings: Any) -> Iterator[MailServer]:
    with MailServer() as server:
        settings.SMTP_HOST, settings.SMTP_PORT = "127.0.0.1", server.port
        yield server


@pytest.fixture
def rdap_server(settings: Any) -> Iterator[RdapServer]:
    with RdapServer(Registry(networks={"198.51.100.0/24": HOSTING})) as server:
        settings.RDAP_BASE_URL = server.base_url
        yield server


@pytest.fixture
def entry(make_person: Any, role: Any) -> UUID:
    return make_published_entry(make_person, role)


@dataclass
class Driver:
    """What the worker and the crawl do around one notice, step by step, by a clock that the test moves."""

    role: Any
    owner: Any
    settings: Any
    now: datetime

    def later(self, **span: float) -> datetime:
        self.now += timedelta(**span)
        return self.now

    def sighting(self, entry_id: UUID, **changes: Any) -> UUID:
        return make_sighting(self.owner, self.settings, entry_id, **{"seen_at": self.now, **changes})

    def open(self, sighting_id: UUID) -> Notice | None:
        with self.role("vigil_worker"):
            return services.open_notice(sighting_id=sighting_id, at=self.now)

    def look_up(self, notice: Notice) -> Notice:
        with self.role("vigil_worker"):
            return services.look_up_provider(notice_id=notice.id, at=self.now)

    def tick(self, notice: Notice) -> UUID | None:
        """What is due for this notice's place: the look that was asked for, or None when nothing was due."""
        with self.role("vigil_worker"):
            before = self.read(notice).check_asked_at
            services.ask_due_checks(at=self.now)
            row = self.read(notice)
            is_asked_anew = row.check_asked_at is not None and row.check_asked_at != before
            if not is_asked_anew and (row.check_asked_at is None or row.pending_check_id is not None):
                return None
            return services.ask_check(notice_id=notice.id, at=self.now)

    def finish(self, notice: Notice, check_id: UUID, verdict: str) -> Notice:
        finish_check(self.owner, check_id, verdict, self.now)
        with self.role("vigil_worker"):
            services.take_check(check_id=check_id, at=self.now)
            return self.read(notice)

    def look(self, notice: Notice, verdict: str) -> Notice:
        """The place is due, the crawl looks and answers."""
        check_id = self.tick(notice)
        assert check_id is not None, "no look was due"
        return self.finish(notice, check_id, verdict)

    def answered(self, notice: Notice) -> Notice:
        with self.role("vigil_worker"):
            return services.resume_after_answer(notice_id=notice.id, at=self.now)

    def read(self, notice: Notice) -> Notice:
        return Notice.objects.get(id=notice.id)


@pytest.fixture
def drive(role: Any, owner: Any, settings: Any) -> Driver:
    return Driver(role, owner, settings, clock.now())


@pytest.fixture
def due(drive: Driver, entry: UUID, keyd_server: None, rdap_server: RdapServer) -> Notice:
    """A notice whose provider is known and whose first mail is due."""
    notice = drive.open(drive.sighting(entry))
    assert notice is not None
    return drive.look_up(notice)


@pytest.fixture
def sent(drive: Driver, due: Notice, mail_server: MailServer) -> Notice:
    """A notice whose first mail was taken by the mail server."""
    notice = drive.look(due, "up")
    assert notice.state == "sent"
    return notice
