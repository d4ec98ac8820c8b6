import pytest
from django.db import connection, transaction

from vigil.core import clock, events, jobs
from vigil.core.actors import SYSTEM
from vigil.core.errors import Conflict
from vigil.core.events import emit
from vigil.core.ids import new_id
from vigil.core.models import EventHandled


@pytest.fixture
def handlers(monkeypatch):
    registered: dict = {}
    monkeypatch.setattr(events, "handlers", registered)
    return registered


def _deferred():
    with connection.cursor() as cursor:
        cursor.execute("SELECT task_name, args->>'event_id' FROM procrastinate_jobs ORDER BY id")
        return cursor.fetchall()


@pytest.mark.parametrize("door", ["vigil_public", "vigil_console", "vigil_partner", "vigil_wire", "vigil_crawl"])
def test_an_event_defers_its_job_though_the_door_cannot_touch_jobs(role, owner, door):
    with role(door):
        event_id = emit("test.happened", new_id(), actor=SYSTEM, at=clock.now())
        with pytest.raises(Exception, match="permission denied"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT * FROM procrastinate_jobs")
    with owner():
        assert ("vigil.core.handle_event", str(event_id)) in _deferred()


def test_an_event_that_is_rolled_back_defers_nothing(role, owner):
    with role("vigil_console"), pytest.raises(Conflict), transaction.atomic():
        emit("test.happened", new_id(), actor=SYSTEM, at=clock.now())
        raise Conflict()
    with owner():
        assert _deferred() == []


def test_a_handler_runs_once_however_often_its_job_does(transactional_db, handlers):
    seen = []
    handlers["test.happened"] = [lambda event: seen.append(event.subject_id)]
    subject = new_id()
    event_id = emit("test.happened", subject, actor=SYSTEM, at=clock.now())
    for _ in range(3):
        jobs.handle_event(str(event_id))
    assert seen == [subject]


def test_a_failing_handler_is_tried_again_and_does_not_stop_the_others(transactional_db, handlers):
    seen, trouble = [], [Conflict(code="test.trouble")]

    def first(event):
        if trouble:
            raise trouble.pop()
        seen.append("first")

    def second(event):
        seen.append("second")

    handlers["test.happened"] = [first, second]
    event_id = emit("test.happened", new_id(), actor=SYSTEM, at=clock.now())
    with pytest.raises(Conflict):
        jobs.handle_event(str(event_id))
    assert seen == ["second"]
    jobs.handle_event(str(event_id))
    assert seen == ["second", "first"]
    assert EventHandled.objects.count() == 2


def test_the_clock_can_be_moved_in_a_test(db):
    before = clock.now()
    clock.advance(86_400)
    assert 86_399 < (clock.now() - before).total_seconds() < 86_460
