"""Valid candidates, and a look that was delivered."""

import secrets

from vigil.core import clock
from vigil.core.ids import new_id
from vigil.lists import services


def candidate(**changes):
    """A candidate with random hashes."""
    values = {
        "candidate_id": new_id(), "place_id": new_id(), "incident_id": new_id(), "case_id": None,
        "sha256": secrets.token_bytes(32), "md5": secrets.token_bytes(16), "pdq": secrets.token_bytes(32), "quality": 100,
    } | changes  # fmt: skip
    return services.CandidateFacts(**values)


def looked(actor, entry_id):
    """The actor asks for a look and it is delivered."""
    ticket = services.start_look(actor=actor, entry_id=entry_id, at=clock.now())
    services.mark_look_delivered(actor=actor, look_id=ticket.id, at=clock.now())
    return ticket
