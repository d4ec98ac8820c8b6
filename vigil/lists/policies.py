"""Who may assess what: pure functions of people and the entry."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

VERDICTS_TO_PUBLISH = 2


def is_independent(identity_id: UUID, *, proposer_identity: UUID, earlier_identities: Iterable[UUID]) -> bool:
    """Whether a human being may assess: not the proposer and nobody who assessed before, under any account (rule 5)."""
    return identity_id != proposer_identity and identity_id not in set(earlier_identities)


def state_after(verdicts: Iterable[str]) -> str:
    """The state of an entry that has these verdicts of different people.

    One "not illegal" refuses it: what people disagree about is never sent to subscribers. Two "illegal" publish it.
    "Unsure" decides nothing: another assessor is asked.
    """
    given = list(verdicts)
    if "not_illegal" in given:
        return "refused"
    return "published" if given.count("illegal") >= VERDICTS_TO_PUBLISH else "proposed"
