"""What changes casework's rows."""

from vigil.casework.services.cases import add_to_case, open_case, take_out_of_case
from vigil.casework.services.incidents import (
    ask_reporter,
    claim_incident,
    decide_incident,
    open_incidents,
    release_incident,
)

__all__ = [
    "add_to_case",
    "ask_reporter",
    "claim_incident",
    "decide_incident",
    "open_case",
    "open_incidents",
    "release_incident",
    "take_out_of_case",
]
