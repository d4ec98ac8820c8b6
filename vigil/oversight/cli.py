"""Commands of people at a terminal: `vigil statistics release|recount` and `vigil trace NUMBER`."""

from __future__ import annotations

from datetime import UTC

from django.db import DatabaseError, connection, transaction
from rich.console import Console
from rich.table import Table
from rich.text import Text

from vigil.accounts import selectors as accounts
from vigil.core import clock
from vigil.core.actors import Actor, process_actor
from vigil.core.errors import VigilError
from vigil.oversight import recount, selectors, services, trace
from vigil.oversight.models import Release
from vigil.oversight.texts import KINDS, TIMES, word


def run_release(console: Console | None = None) -> int:
    """Release what was asked for on the console; when nobody asked, release now. Exit code 0, or 1 with the reason."""
    waiting = selectors.waiting_requests()
    return _release(console or Console(), waiting[0] if waiting else None)


def run_asked(console: Console | None = None) -> int:
    """Release only when somebody asked for it: what the worker starts. Exit code 0, or 1 when it should be tried again."""
    waiting = selectors.waiting_requests()
    return _release(console or Console(), waiting[0]) if waiting else 0


def _release(out: Console, request: selectors.RequestFacts | None) -> int:
    try:
        until = clock.now()
        services.wait_until_settled(until=until, pending=[recount.reports_without_incident])
        actor = (
            process_actor("statistics")
            if request is None
            else Actor(id=request.asked_by, kind="person", name="", fresh=True)
        )
        made = services.release(actor=actor, at=until, request_id=request.id if request else None)
    except VigilError as failure:
        out.print(f"not released: {failure.code}", markup=False)
        return 1
    out.print(
        f"release {made.version}: {made.period_start:%Y-%m-%d %H:%M} to {made.period_end:%Y-%m-%d %H:%M} UTC",
        markup=False,
    )
    return 0


def run_recount(console: Console | None = None) -> int:
    """Count every release again from the raw tables. Exit code 0 when all agree, 1 with the differences, 2 when unknown."""
    out = console or Console()
    try:
        releases = list(Release.objects.order_by("version"))
        found = [difference for release in releases for difference in recount.differences(release)]
    except (DatabaseError, VigilError) as failure:
        # Not being able to count is not agreement.
        out.print(f"not recounted: {getattr(failure, 'code', type(failure).__name__)}", markup=False)
        return 2
    if not releases:
        out.print("no release yet: nothing was compared", markup=False)
        return 2
    if not found:
        out.print(f"{len(releases)} release(s) recounted: every figure agrees", markup=False)
        return 0
    table = Table("Release", "Figure", "Cell", "Released", "Indicator", "Recounted", title="These figures do not agree")
    for each in found:
        table.add_row(str(each.version), each.code, each.cell, each.released, each.indicator, each.recounted)
    out.print(table)
    return 1


def run_trace(number: str, *, as_email: str | None = None, console: Console | None = None) -> int:
    """Print the chain around a number, as the system sees it or as one person may. Exit code 0, or 1 with the reason."""
    out = console or Console()
    try:
        with transaction.atomic():
            actor = process_actor("trace")
            if as_email is not None:
                actor = accounts.actor_by_id(accounts.person_by_email(as_email).id)
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('vigil.actor', %s, true)", [str(actor.id)])
            hops = trace.trace_for_page(actor=actor, number=number, at=clock.now())
    except VigilError as failure:
        out.print(f"no trace: {failure.code}", markup=False)
        return 1
    table = Table(title=f"The chain around {number}")
    for heading in ("What", "Number"):
        table.add_column(heading, no_wrap=True)
    for heading in ("When (UTC)", "Who"):
        table.add_column(heading)
    for hop in hops:
        name = f"{'  ' * hop.depth}{word(KINDS, hop.kind)}"
        times = hop.times or (None,)
        for position, time in enumerate(times):
            table.add_row(
                Text(name if position == 0 else "", style="bold" if hop.asked else ""),
                Text(hop.number if position == 0 else "", style="bold" if hop.asked else ""),
                Text(f"{time.at.astimezone(UTC):%Y-%m-%d %H:%M:%S} {word(TIMES, time.code).lower()}" if time else ""),
                Text(time.by if time else ""),
            )
    out.print(table)
    return 0
