"""What changes casework's rows."""

from vigil.casework.services.cases import add_to_case, open_case, take_out_of_case
from vigil.casework.services.fetching import fetch_reported_places, note_candidates, note_entry_event, propose_entry
from vigil.casework.services.image_help import open_incident_of_help_case, propose_declared_match
from vigil.casework.services.incidents import (
    ask_reporter,
    claim_incident,
    decide_incident,
    open_incidents,
    release_incident,
)
from vigil.casework.services.known_places import note_known_places, note_look, note_notice
from vigil.casework.services.looks import prepare_preview

__all__ = [
    "add_to_case",
    "ask_reporter",
    "claim_incident",
    "decide_incident",
    "fetch_reported_places",
    "note_candidates",
    "note_entry_event",
    "note_known_places",
    "note_look",
    "note_notice",
    "open_case",
    "open_incident_of_help_case",
    "open_incidents",
    "prepare_preview",
    "propose_declared_match",
    "propose_entry",
    "release_incident",
    "take_out_of_case",
]
