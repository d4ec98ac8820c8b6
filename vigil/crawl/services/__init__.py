"""Commands of the crawl, for its own process and for other rooms."""

from vigil.crawl.errors import StaleLease
from vigil.crawl.services.checks import CheckResult, ask_check, record_check
from vigil.crawl.services.declared import match_declared_again, propose_candidate
from vigil.crawl.services.leases import (
    DueCheck,
    DuePlace,
    Lease,
    due_checks,
    due_places,
    hold,
    lease_hosts,
    release_host,
)
from vigil.crawl.services.places import NewPlace, sealed
from vigil.crawl.services.preview import preview
from vigil.crawl.services.seeds import add_watch_seeds, seed_places
from vigil.crawl.services.sightings import (
    close_for_withdrawn_entry,
    confirm_sighting,
    match_again,
    match_late_readings,
    reject_sighting,
)
from vigil.crawl.services.visits import OF_THE_HOST, VisitResult, record_visit

__all__ = [
    "OF_THE_HOST",
    "CheckResult",
    "DueCheck",
    "DuePlace",
    "Lease",
    "NewPlace",
    "StaleLease",
    "VisitResult",
    "add_watch_seeds",
    "ask_check",
    "close_for_withdrawn_entry",
    "confirm_sighting",
    "due_checks",
    "due_places",
    "hold",
    "lease_hosts",
    "match_again",
    "match_declared_again",
    "match_late_readings",
    "preview",
    "propose_candidate",
    "record_check",
    "record_visit",
    "reject_sighting",
    "release_host",
    "sealed",
    "seed_places",
]
