"""The assessor's look: permitted and audited by the lists room, made by the crawl, laid down here for a moment."""

from __future__ import annotations

import concurrent.futures
from uuid import UUID

from django.db import connection

from vigil.casework import shelf
from vigil.core.actors import Actor
from vigil.crawl import services as crawl
from vigil.lists.selectors import EntryFacts

PING_SECONDS = 5.0
_fetchers = concurrent.futures.ThreadPoolExecutor(max_workers=8, thread_name_prefix="preview")


def prepare_preview(*, actor: Actor, entry: EntryFacts, look_id: UUID) -> None:
    """Have the entry's place fetched and its preview laid down for this person. The look was permitted and audited before.

    Takes as long as the place needs; no row is locked meanwhile. Raises PreviewUnavailable, PreviewChanged,
    PreviewAlreadyGiven, PlaceNotFound.
    """
    future = _fetchers.submit(
        crawl.preview,
        place_id=entry.place_id,
        expected_sha256=entry.sha256,
        expected_pdq=entry.pdq,
        ticket=look_id,
    )
    while True:
        try:
            picture = future.result(timeout=PING_SECONDS)
            break
        except concurrent.futures.TimeoutError:
            # The database ends a transaction that says nothing for 30 seconds; a slow place may take longer.
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
    shelf.put(actor_id=actor.id, look_id=look_id, picture=picture)
