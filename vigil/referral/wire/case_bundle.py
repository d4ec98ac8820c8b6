"""CASE/UCO JSON-LD: a referral as an investigation that police tools can import and `case_validate` accepts.

Learned by validating (case-utils 0.18, CASE 1.4 and 1.5): `hashMethod` must be a plain string from the vocabulary, so PDQ, which is
not in it, stands in the file's description; `hashValue` is xsd:hexBinary; times are xsd:dateTime; ids end in a UUID.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

from vigil.referral.wire.contents import Contents, Fingerprint, Handle, Place, Source, Step

Node = dict[str, Any]

_VOCABULARIES = {
    "case-investigation": "https://ontology.caseontology.org/case/investigation/",
    "uco-action": "https://ontology.unifiedcyberontology.org/uco/action/",
    "uco-core": "https://ontology.unifiedcyberontology.org/uco/core/",
    "uco-identity": "https://ontology.unifiedcyberontology.org/uco/identity/",
    "uco-observable": "https://ontology.unifiedcyberontology.org/uco/observable/",
    "uco-tool": "https://ontology.unifiedcyberontology.org/uco/tool/",
    "uco-types": "https://ontology.unifiedcyberontology.org/uco/types/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
_SOURCE_SENTENCE: dict[Source, str] = {
    "reporter": "Said by the person who reported.",
    "crawler": "Measured by the hotline's crawler.",
    "analyst": "Decided by the hotline's analysts.",
    "provider": "Said by the provider.",
}
_STEP_NAME = {
    "report_received": "Report received",
    "case_opened": "Case opened",
    "candidate_seen": "Place fetched, picture hashed in memory",
    "entry_published": "Picture assessed by two people and listed",
    "sighting_confirmed": "Match confirmed",
    "referral_prepared": "Referral prepared",
}


def render(contents: Contents) -> bytes:
    """The bundle as canonical JSON: same contents, same bytes."""
    text = json.dumps(build(contents), ensure_ascii=False, indent=1, sort_keys=True)
    return text.encode() + b"\n"


def build(contents: Contents) -> Node:
    """The bundle as a JSON-LD document."""
    graph = _Graph(contents.package_id)
    hotline = graph.add(_hotline(graph, contents))
    tool = graph.add(
        {
            "@id": graph.name("tool", "software"),
            "@type": "uco-tool:Tool",
            "uco-core:name": "Vigil",
            "uco-tool:version": contents.hotline.software_version,
        }
    )
    ids_of_exhibits = {place.exhibit: graph.add(_url(graph, place)) for place in contents.places}
    ids_of_exhibits |= {handle.exhibit: graph.add(_account(graph, handle)) for handle in contents.handles}
    ids_of_exhibits |= {print_.exhibit: graph.add(_file(graph, print_)) for print_ in contents.fingerprints}
    for fingerprint in contents.fingerprints:
        for exhibit in fingerprint.place_exhibits:
            graph.add(
                _found_at(
                    graph, ids_of_exhibits[fingerprint.exhibit], ids_of_exhibits[exhibit], fingerprint.id, exhibit
                )
            )
    records = {
        exhibit: graph.add(_provenance(graph, contents, exhibit, identifier))
        for exhibit, identifier in sorted(ids_of_exhibits.items())
    }
    actions = [graph.add(_action(graph, step, hotline, tool, ids_of_exhibits, records)) for step in contents.steps]
    investigation = graph.add(
        {
            "@id": graph.name("investigation", "case"),
            "@type": "case-investigation:Investigation",
            "uco-core:name": f"Case {contents.case_number}",
            "uco-core:description": f"Referred to {contents.agency.name_en} as {contents.number}.",
            "case-investigation:focus": "child protection",
            "uco-core:object": _references([*records.values(), *actions]),
        }
    )
    graph.add(
        {
            "@id": graph.name("bundle", "bundle"),
            "@type": "uco-core:Bundle",
            "uco-core:name": f"Referral {contents.number}",
            "uco-core:objectCreatedTime": _instant(contents.prepared_at),
            "uco-core:object": _references(
                [investigation, hotline, tool, *ids_of_exhibits.values(), *records.values(), *actions]
            ),
        }
    )
    return {"@context": {"kb": f"https://{contents.hotline.domain}/kb/", **_VOCABULARIES}, "@graph": graph.nodes}


class _Graph:
    """Nodes in the order they were added, with ids that depend on the package and on what the node stands for."""

    def __init__(self, package_id: UUID) -> None:
        self._package_id = package_id
        self.nodes: list[Node] = []

    def name(self, kind: str, *parts: object) -> str:
        return f"kb:{kind}-{uuid5(self._package_id, '/'.join([kind, *map(str, parts)]))}"

    def add(self, node: Node) -> str:
        self.nodes.append(node)
        return str(node["@id"])


def _references(ids: Iterable[str]) -> list[Node]:
    return [{"@id": identifier} for identifier in ids]


def _instant(at: datetime) -> Node:
    return {"@type": "xsd:dateTime", "@value": at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")}


def _known_since(source: Source, at: datetime | None, number: str) -> Node:
    """Who told us, and under which of our numbers: on every exhibit."""
    sentence = _SOURCE_SENTENCE[source] + (f" Number {number}." if number else "")
    return {"uco-core:description": sentence} | ({"uco-core:objectCreatedTime": _instant(at)} if at else {})


def _hotline(graph: _Graph, contents: Contents) -> Node:
    return {
        "@id": graph.name("organization", "hotline"),
        "@type": "uco-identity:Organization",
        "uco-core:name": contents.hotline.name_en,
    }


def _url(graph: _Graph, place: Place) -> Node:
    return {
        "@id": graph.name("url", place.id),
        "@type": "uco-observable:URL",
        **_known_since(place.source, place.at, place.subject_number),
        "uco-core:hasFacet": [
            {
                "@id": graph.name("url-facet", place.id),
                "@type": "uco-observable:URLFacet",
                "uco-observable:fullValue": place.url,
            }
        ],
    }


def _account(graph: _Graph, handle: Handle) -> Node:
    return {
        "@id": graph.name("digital-account", handle.id),
        "@type": "uco-observable:DigitalAccount",
        **_known_since(handle.source, handle.at, handle.subject_number),
        "uco-core:hasFacet": [
            {
                "@id": graph.name("digital-account-facet", handle.id),
                "@type": "uco-observable:DigitalAccountFacet",
                "uco-observable:displayName": handle.text,
            }
        ],
    }


def _file(graph: _Graph, fingerprint: Fingerprint) -> Node:
    hashes = [("SHA256", fingerprint.sha256), ("MD5", fingerprint.md5)]
    described = _known_since(fingerprint.source, fingerprint.at, fingerprint.list_number)
    if fingerprint.pdq:
        quality = "" if fingerprint.pdq_quality is None else f", quality {fingerprint.pdq_quality}"
        described["uco-core:description"] += f" PDQ perceptual hash {fingerprint.pdq}{quality}."
    return {
        "@id": graph.name("file", fingerprint.id),
        "@type": "uco-observable:File",
        **described,
        "uco-core:hasFacet": [
            {
                "@id": graph.name("content-data-facet", fingerprint.id),
                "@type": "uco-observable:ContentDataFacet",
                "uco-observable:hash": [
                    {
                        "@id": graph.name("hash", fingerprint.id, method),
                        "@type": "uco-types:Hash",
                        "uco-types:hashMethod": method,
                        "uco-types:hashValue": {"@type": "xsd:hexBinary", "@value": value},
                    }
                    for method, value in hashes
                    if value
                ],
            }
        ],
    }


def _found_at(graph: _Graph, file: str, url: str, fingerprint_id: UUID, exhibit: int) -> Node:
    return {
        "@id": graph.name("relationship", fingerprint_id, exhibit),
        "@type": "uco-observable:ObservableRelationship",
        "uco-core:source": {"@id": file},
        "uco-core:target": {"@id": url},
        "uco-core:kindOfRelationship": "Located_At",
        "uco-core:isDirectional": {"@type": "xsd:boolean", "@value": "true"},
    }


def _provenance(graph: _Graph, contents: Contents, exhibit: int, identifier: str) -> Node:
    return {
        "@id": graph.name("provenance-record", exhibit),
        "@type": "case-investigation:ProvenanceRecord",
        "case-investigation:exhibitNumber": f"{contents.number}/{exhibit}",
        "uco-core:object": _references([identifier]),
    }


def _action(
    graph: _Graph, step: Step, hotline: str, tool: str, exhibits: dict[int, str], records: dict[int, str]
) -> Node:
    name = _STEP_NAME.get(step.code, step.code)
    return {
        "@id": graph.name("investigative-action", step.id, step.code),
        "@type": "case-investigation:InvestigativeAction",
        "uco-core:name": f"{name} ({step.subject_number})" if step.subject_number else name,
        "uco-core:description": _SOURCE_SENTENCE[step.source],
        "uco-action:startTime": _instant(step.started_at),
        "uco-action:endTime": _instant(step.ended_at),
        "uco-action:performer": {"@id": hotline},
        "uco-action:instrument": _references([tool]),
        "uco-action:object": _references(exhibits[exhibit] for exhibit in step.exhibits),
        "uco-action:result": _references(records[exhibit] for exhibit in step.exhibits),
    }
