"""When things are due: one place for every waiting time of this room."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings

ANSWER_LINK_DAYS = 14
FRESH_CHECK = timedelta(minutes=10)  # a look at the place older than this does not count as "just before sending"
LOST_CHECK = timedelta(minutes=30)  # a look that did not come back by then is asked for again
WATCH_EVERY = timedelta(days=7)  # after a confirmed removal the place is looked at again
WATCH_FOR = timedelta(days=90)
BACKOFF_FIRST = timedelta(minutes=1)
BACKOFF_LONGEST = timedelta(hours=6)


def visits_apart() -> timedelta:
    """How far apart the two visits that confirm a removal must be at least."""
    return timedelta(seconds=settings.REMOVAL_VISITS_APART_SECONDS)


def reminder_every() -> timedelta:
    """The time between two mails of one notice."""
    return timedelta(seconds=settings.REMOVAL_REMINDER_SECONDS)


def after_unknown() -> timedelta:
    """How soon a look that could not tell is repeated."""
    return max(timedelta(minutes=1), visits_apart() / 6)


def backoff(failures: int) -> timedelta:
    """The wait after so many failures in a row: a minute, doubled each time, six hours at most."""
    return min(BACKOFF_FIRST * 2 ** min(max(failures - 1, 0), 12), BACKOFF_LONGEST)
