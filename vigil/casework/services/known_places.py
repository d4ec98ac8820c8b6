"""A reported place that was seen before: linked with what is known of it, never dropped as a double."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from vigil.audit import services as audit
from vigil.casework.models import Incident, KnownPlace
from vigil.casework.services.incidents import add_step
from vigil.core.actors import Actor
from vigil.core.events import emit
from vigil.core.ids import new_id
from vigil.crawl import selectors as crawl
from vigil.intake import services as intake

_STEP_OF_LOOK = {"back": "place_back", "still_gone": "place_still_gone"}


@transaction.atomic
def note_known_places(*, actor: Actor, incident_id: UUID, at: datetime) -> int:
    """Find which links of a new incident are places that the crawl knows. Safe to run twice. Returns how many are new.

    The addresses are compared inside the key process and by keyed digests. The event `casework.places_known` follows, so that
    whoever had such a place removed can have it looked at again. Raises Unavailable without `keyd`.
    """
    incident = Incident.objects.filter(id=incident_id).first()
    if incident is None:
        return 0
    sealed = intake.seal_links_for_crawl(
        actor=actor, report_id=incident.report_id, purpose="intake.index", ticket=incident.number
    )
    by_digest = {place.url_digest: place.link_id for place in sealed if not place.error}
    known = crawl.known_places(list(by_digest))
    noted = set(KnownPlace.objects.filter(incident=incident).values_list("link_id", flat=True))
    rows = [
        KnownPlace(
            id=new_id(), incident=incident, link_id=by_digest[digest], place_id=place_id, state="known", noted_at=at
        )
        for digest, place_id in known.items()
        if by_digest[digest] not in noted
    ]
    if rows:
        KnownPlace.objects.bulk_create(rows)
        add_step(incident, "place_known", actor=actor, at=at, data={"places": len(rows)})
        emit("casework.places_known", incident_id, actor=actor, at=at)
        audit.record(
            actor=actor,
            action="incident.places_known",
            subject_kind="incident",
            subject_id=incident_id,
            at=at,
            data={"places": len(rows)},
        )
    return len(rows)


@transaction.atomic
def note_notice(
    *, known_place_id: UUID, notice_id: UUID, notice_number: str, removal_number: str, is_open: bool, at: datetime
) -> bool:
    """Say that a known place has a notice: one that is open, or one that ended with the place gone (a reappearance, perhaps).

    False when that stood already. The caller has a look at the place asked for.
    """
    row = KnownPlace.objects.select_for_update().filter(id=known_place_id, notice_id__isnull=True).first()
    if row is None:
        return False
    row.notice_id, row.notice_number, row.removal_number = notice_id, notice_number, removal_number
    row.state = "open" if is_open else "removed_before"
    row.save(update_fields=["notice_id", "notice_number", "removal_number", "state"])
    return True


@transaction.atomic
def note_look(*, actor: Actor, notice_id: UUID, verdict: str, at: datetime) -> int:
    """Say what the look at a place found that was reported again after its removal: `up`, `down` or `unknown`.

    Unknown is no answer: the next look may give one. Returns how many incidents were told.
    """
    state = {"up": "back", "down": "still_gone", "unknown": "unknown"}[verdict]
    rows = list(
        KnownPlace.objects.select_for_update(of=("self",))
        .select_related("incident")
        .filter(notice_id=notice_id, state__in=("removed_before", "unknown"))
    )
    for row in rows:
        row.state, row.looked_at = state, at
        row.save(update_fields=["state", "looked_at"])
        if state in _STEP_OF_LOOK:
            add_step(row.incident, _STEP_OF_LOOK[state], actor=actor, at=at, data={"notice": row.notice_number})
    return len(rows)
