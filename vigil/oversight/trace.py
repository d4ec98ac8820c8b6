"""The chain around a number: from a person's report to a removal and to what the police made of it.

Each hop is permitted alone. What a person may not see is not there for them: no number, no count, and nothing is reached through
it either, since its neighbours on the far side would tell that it exists.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from vigil.accounts.policies import Action, permit, require
from vigil.accounts.selectors import names_of
from vigil.audit import services as audit
from vigil.casework import selectors as casework
from vigil.core.actors import Actor
from vigil.core.errors import NotFound, NotPermitted
from vigil.core.ids import format_number, resolve_number
from vigil.crawl import selectors as crawl
from vigil.imagehelp import selectors as imagehelp
from vigil.intake import selectors as intake
from vigil.lists import selectors as lists
from vigil.referral import selectors as referral
from vigil.removal import selectors as removal

MAX_HOPS = 500
MORE = "more"
Key = tuple[str, UUID]


@dataclass(frozen=True, slots=True)
class Time:
    """Something happened to a hop: a code, when, and the name of who did it (empty for a process or a reporter)."""

    code: str
    at: datetime
    by: str = ""


@dataclass(frozen=True, slots=True)
class Hop:
    """One thing on the chain. `parent` is the number it came from, `asked` marks the number that was asked for.

    A hop of kind "more" stands last when there is more that the actor may see than one answer holds.
    """

    kind: str
    number: str
    subject_id: UUID | None
    depth: int
    parent: str
    asked: bool
    times: tuple[Time, ...] = ()


@dataclass(slots=True)
class _Node:
    kind: str
    id: UUID
    number: str
    item: Any
    times: list[tuple[str, datetime | None, UUID | None]]
    parents: Callable[[], Iterable[Key]]
    children: Callable[[], Iterable[Key]]


@dataclass(slots=True)
class _Walk:
    """One actor's walk: loads each thing once, and only what may be seen."""

    actor: Actor
    loaded: dict[Key, _Node | None] = field(default_factory=dict)

    def node(self, key: Key) -> _Node | None:
        if key not in self.loaded:
            self.loaded[key] = self._load(key)
        return self.loaded[key]

    def _load(self, key: Key) -> _Node | None:
        kind, subject_id = key
        action, load = _KINDS[kind]
        if not permit(self.actor, action):
            return None
        try:
            node = load(self.actor, subject_id)
        except (NotFound, NotPermitted):
            return None
        return node if permit(self.actor, action, node.item) else None

    def visible(self, keys: Iterable[Key]) -> list[_Node]:
        return [node for key in keys if (node := self.node(key)) is not None]

    def tops(self, start: _Node) -> list[_Node]:
        """The visible things without a visible parent from which `start` comes."""
        found: dict[Key, _Node] = {}
        seen: set[Key] = set()
        waiting = [start]
        while waiting and len(seen) < MAX_HOPS:
            node = waiting.pop()
            if (node.kind, node.id) in seen:
                continue
            seen.add((node.kind, node.id))
            above = self.visible(node.parents())
            waiting += above
            if not above:
                found[node.kind, node.id] = node
        return sorted(found.values(), key=lambda node: str(node.id))


def trace(actor: Actor, number: str) -> list[Hop]:
    """The chain around a public number, top down, as this actor may see it.

    Raises Invalid `number.unreadable`; NotFound `number.unknown`, also for what the actor may not see; NotPermitted.
    """
    require(actor, "trace.view")
    kind, subject_id = resolve_number(number)
    walk = _Walk(actor)
    start = walk.node((kind, subject_id)) if kind in _KINDS else None
    if start is None:
        raise NotFound(code="number.unknown")
    ordered, is_cut = _in_order(walk, start)
    names = names_of({by for node, _depth, _parent in ordered for _code, _at, by in node.times if by is not None})
    hops = [
        Hop(
            kind=node.kind,
            number=format_number(node.number),
            subject_id=node.id,
            depth=depth,
            parent=format_number(parent) if parent else "",
            asked=node is start,
            times=tuple(
                Time(code, at, names.get(by, "") if by else "") for code, at, by in node.times if at is not None
            ),
        )
        for node, depth, parent in ordered
    ]
    return [*hops, Hop(MORE, "", None, 0, "", False)] if is_cut else hops


def trace_for_page(*, actor: Actor, number: str, at: datetime) -> list[Hop]:
    """As `trace`, with the look recorded in the audit log."""
    hops = trace(actor, number)
    asked = next(hop for hop in hops if hop.asked)
    assert asked.subject_id is not None
    audit.record(
        actor=actor,
        action="trace.view",
        subject_kind=asked.kind,
        subject_id=asked.subject_id,
        at=at,
        data={"hops": len(hops)},
    )
    return hops


def _in_order(walk: _Walk, start: _Node) -> tuple[list[tuple[_Node, int, str]], bool]:
    """Depth first from the tops; a thing with two parents stands below the first."""
    ordered: list[tuple[_Node, int, str]] = []
    placed: set[Key] = set()
    waiting = [(node, 0, "") for node in reversed(walk.tops(start))]
    while waiting:
        node, depth, parent = waiting.pop()
        if (node.kind, node.id) in placed:
            continue
        if len(ordered) == MAX_HOPS:
            return ordered, True
        placed.add((node.kind, node.id))
        ordered.append((node, depth, parent))
        waiting += [(child, depth + 1, node.number) for child in reversed(walk.visible(node.children()))]
    return ordered, False


# ---- one function a kind: how it is loaded, where it comes from, where it leads --------------------------------------------------
def _nothing() -> Iterable[Key]:
    return ()


@dataclass(frozen=True, slots=True)
class _AsSensitiveAs:
    sensitivity: int


def _image_help(actor: Actor, case_id: UUID) -> _Node:
    facts = imagehelp.case_summary(case_id)
    return _Node(
        "image_help", facts.id, facts.number, facts, [("submitted", facts.opened_at, None), ("withdrawn", facts.ended_at, None)],
        _nothing, lambda: [("report", facts.report_id)],
    )  # fmt: skip


def _help_case_of(report_id: UUID) -> list[Key]:
    facts = imagehelp.case_of_report(report_id)
    return [("image_help", facts.id)] if facts is not None else []


def _report(actor: Actor, report_id: UUID) -> _Node:
    facts = intake.report_summary(report_id)
    incidents = casework.incidents_of_report(actor, report_id)
    # A report is as sensitive as its incidents, which all have one value; one without any yet counts as restricted.
    sensitivity = max((each.sensitivity for each in incidents), default=3)
    return _Node(
        "report", report_id, facts.number, _AsSensitiveAs(sensitivity), [("submitted", facts.submitted_at, None)],
        lambda: _help_case_of(report_id), lambda: [("incident", each.id) for each in incidents],
    )  # fmt: skip


def _incident(actor: Actor, incident_id: UUID) -> _Node:
    facts = casework.incident(actor, incident_id)
    return _Node(
        "incident", facts.id, facts.number, facts,
        [("opened", facts.created_at, None), ("decided", facts.decided_at, facts.decided_by)],
        lambda: [("report", facts.report_id)],
        lambda: [
            *(("entry", each.id) for each in lists.entries_of_incident(facts.id)),
            *([("case", facts.case_id)] if facts.case_id else []),
        ],
    )  # fmt: skip


def _case(actor: Actor, case_id: UUID) -> _Node:
    facts = casework.case(actor, case_id)
    return _Node(
        "case", facts.id, facts.number, facts, [("opened", facts.opened_at, facts.opened_by)],
        lambda: [("incident", each.id) for each in facts.incidents],
        lambda: [("referral", each.id) for each in referral.packages_of_case_facts(facts.id)],
    )  # fmt: skip


def _entry(_actor: Actor, entry_id: UUID) -> _Node:
    facts = lists.entry(entry_id)
    decided = "published" if facts.state in {"published", "withdrawn"} else "decided"
    return _Node(
        "entry", facts.id, facts.number, facts,
        [
            ("proposed", facts.proposed_at, facts.proposed_by_id),
            *(("assessed", each.decided_at, each.assessor_id) for each in lists.assessments(facts.id)),
            (decided, facts.decided_at, None),
            ("withdrawn", facts.withdrawn_at, facts.withdrawn_by_id),
        ],
        lambda: [("incident", facts.incident_id)],
        lambda: [("sighting", each.id) for each in crawl.sightings_of_entry(facts.id)],
    )  # fmt: skip


def _sighting(_actor: Actor, sighting_id: UUID) -> _Node:
    facts = crawl.sighting(sighting_id)
    return _Node(
        "sighting", facts.id, facts.number, facts,
        [("seen", facts.seen_at, None), (facts.state, facts.decided_at, facts.decided_by)],
        lambda: [("entry", facts.entry_id)],
        lambda: [("notice", each.id) for each in removal.notices_of_sighting(facts.id)],
    )  # fmt: skip


def _notice(_actor: Actor, notice_id: UUID) -> _Node:
    facts = removal.notice(notice_id)
    return _Node(
        "notice", facts.id, facts.number, facts,
        [("opened", facts.opened_at, None), ("sent", facts.sent_at, None), ("closed", facts.closed_at, None)],
        lambda: [("sighting", facts.sighting_id)],
        lambda: [("removal", each.id) for each in removal.removals_of_notice(facts.id)],
    )  # fmt: skip


def _removal(_actor: Actor, removal_id: UUID) -> _Node:
    facts = removal.removal(removal_id)
    return _Node(
        "removal", facts.id, facts.number, facts,
        [("first_gone", facts.first_down_at, None), ("confirmed", facts.confirmed_at, None)],
        lambda: [("notice", facts.notice_id)], _nothing,
    )  # fmt: skip


def _referral(_actor: Actor, package_id: UUID) -> _Node:
    facts = referral.package_facts(package_id)
    return _Node(
        "referral", facts.id, facts.number, facts,
        [
            ("asked", facts.asked_at, facts.asked_by),
            ("sent", facts.sent_at, None),
            ("acknowledged", facts.acknowledged_at, facts.acknowledged_by),
        ],
        lambda: [("case", facts.case_id)],
        lambda: [("outcome", each.id) for each in referral.outcomes_of(facts.id)],
    )  # fmt: skip


def _outcome(_actor: Actor, outcome_id: UUID) -> _Node:
    facts = referral.outcome(outcome_id)
    return _Node(
        "outcome", facts.id, facts.number, facts, [("returned", facts.at, facts.by)],
        lambda: [("referral", facts.package_id)], _nothing,
    )  # fmt: skip


# Which view of which room decides about a hop. A hop is a number and its times: of a report as case workers see it (the reporter's
# words need another permission), of a referral as everybody who works on the case may know that it was sent (what is in the
# package needs another permission).
_KINDS: dict[str, tuple[Action, Callable[[Actor, UUID], _Node]]] = {
    "image_help": ("imagehelp.view", _image_help),
    "report": ("incident.view", _report),
    "incident": ("incident.view", _incident),
    "case": ("case.view", _case),
    "entry": ("entry.view", _entry),
    "sighting": ("sighting.view", _sighting),
    "notice": ("notice.view", _notice),
    "removal": ("notice.view", _removal),
    "referral": ("case.view", _referral),
    "outcome": ("case.view", _outcome),
}
