"""The notice as mail: multipart/report with three parts (human text, feedback report, XARF).

Packaging: RFC 5322 and RFC 6522 as deployed for XARF; `reference/interfaces.md` section 7. Headers hold fixed words,
the notice's number and the two addresses: nothing that a reporter, a page or a provider wrote.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage, MIMEPart
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any

from vigil.removal.wire.notice import NoticeText, message_id, mime_boundary
from vigil.removal.wire.places import defanged
from vigil.removal.wire.xarf_document import is_expressible, xarf_bytes

# One plain address: no display name, no quoting, no control character can come along.
_ADDRESS = re.compile(
    r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9-]{2,63}$"
)
_NUMBER = re.compile(r"^[0-9A-Z-]{10,14}$")

CLASSIFICATION_WORDS = {
    "baseline": (
        "child sexual abuse material, illegal under the international baseline",
        "matériel d’abus pédosexuel, illégal selon le seuil international commun",
    ),
    "national": (
        "child sexual abuse and exploitation material, illegal in Canada (Criminal Code, s. 163.1)",
        "matériel d’abus et d’exploitation pédosexuels, illégal au Canada (Code criminel, art. 163.1)",
    ),
}
OTHER_CLASSIFICATION = (
    "material that harms a child, verified by our assessors",
    "matériel préjudiciable à un enfant, vérifié par nos évaluateurs",
)


def is_mailable(address: str) -> bool:
    """Whether this is one plain mail address that can stand in a header."""
    return len(address) <= 254 and bool(_ADDRESS.fullmatch(address))


def notice_mail(text: NoticeText) -> EmailMessage:
    """Build the mail of one notice. Raises ValueError when an address or number could not stand in a header."""
    if not is_mailable(text.recipient) or not is_mailable(text.sender.email):
        raise ValueError("not a plain mail address")
    if not _NUMBER.fullmatch(text.number):
        raise ValueError("not a notice number")
    message = EmailMessage(policy=SMTP)
    message["From"] = text.sender.email
    message["To"] = text.recipient
    message["Subject"] = _subject(text)
    message["Date"] = format_datetime(text.written_at.astimezone(UTC))
    message["Message-ID"] = message_id(text.notice_id, text.attempt_kind, text.sender.domain)
    if text.is_reminder:
        first = message_id(text.notice_id, "notice", text.sender.domain)
        message["In-Reply-To"] = first
        message["References"] = first
    message["Auto-Submitted"] = "auto-generated"
    message["X-Vigil-Notice"] = text.number
    message["MIME-Version"] = "1.0"
    message["Content-Type"] = 'multipart/report; report-type="feedback-report"'
    message.set_boundary(mime_boundary(text.notice_id, text.attempt_kind))
    # A part is a MIMEPart, without a MIME-Version of its own; the stubs ask for a whole message.
    message.attach(_text_part(human_text(text)))  # type: ignore[arg-type]
    message.attach(_feedback_part(text))  # type: ignore[arg-type]
    if is_expressible(text.classification):
        message.attach(_json_part(xarf_bytes(text)))  # type: ignore[arg-type]
    return message


def human_text(text: NoticeText) -> str:
    """The notice in English, then in French: the same facts, links taken apart."""
    return "\n".join([*_english(text), "", "-" * 68, "", *_french(text), ""])


def _subject(text: NoticeText) -> str:
    if text.is_reminder:
        return f"Reminder: removal notice {text.number} / Rappel : avis de retrait {text.number}"
    return f"Removal notice {text.number} / Avis de retrait {text.number}"


def _english(text: NoticeText) -> list[str]:
    kind = CLASSIFICATION_WORDS.get(text.classification, OTHER_CLASSIFICATION)[0]
    copy = "a changed copy of a listed picture; a person confirmed it"
    match = "It is byte for byte a listed file." if text.exact else f"It is {copy}."
    how = "The attached file xarf.json has the exact address."
    if not is_expressible(text.classification):
        how = "Read hxxp as http and [.] as a dot."
    demonstration = "DEMONSTRATION. This mail was made by a demonstration system; there is nothing to remove."
    return [
        *([demonstration, ""] if text.is_demonstration else []),
        f"Removal notice {text.number}" + (" (reminder)" if text.is_reminder else ""),
        "",
        f"{text.sender.name_en} asks you to remove the picture below or to disable access to it.",
        "",
        f"What: {kind}. Two assessors verified it. {match}",
        f"Where: {defanged(text.url)}",
        *([f"Page: {defanged(text.page_url)}"] if text.page_url and text.page_url != text.url else []),
        *([f"Address: {text.server_address}"] if text.server_address else []),
        f"First seen: {_words(text.first_seen_at)}",
        f"Still there: {_words(text.verified_at)}",
        *_fingerprint_lines(text),
        "",
        f"The links above are written so that nobody opens them by accident. {how}",
        "Please do not send us the picture. Keep the account data that your law asks you to keep.",
        "",
        f"Tell us what you did. One question, no account; the link works once, for {text.answer_days} days:",
        text.answer_url_en,
        "",
        f"We look at the place again ourselves. While it is still there we write every {text.reminder_hours} hours.",
        "We state in good faith that this notice is accurate and complete.",
        *_contact(text.sender.name_en, text),
    ]


def _french(text: NoticeText) -> list[str]:
    kind = CLASSIFICATION_WORDS.get(text.classification, OTHER_CLASSIFICATION)[1]
    copy = "une copie modifiée d’une image inscrite à la liste\u00a0; une personne l’a confirmé"
    match = "C’est, octet pour octet, un fichier inscrit à la liste." if text.exact else f"C’est {copy}."
    how = "Le fichier joint xarf.json donne l’adresse exacte."
    if not is_expressible(text.classification):
        how = "Lisez http pour hxxp et un point pour [.]."
    demonstration = "DÉMONSTRATION. Ce courriel vient d’un système de démonstration\u00a0; il n’y a rien à retirer."
    days, hours = text.answer_days, text.reminder_hours
    return [
        *([demonstration, ""] if text.is_demonstration else []),
        f"Avis de retrait {text.number}" + (" (rappel)" if text.is_reminder else ""),
        "",
        f"{text.sender.name_fr} vous demande de retirer l’image ci-dessous ou d’en bloquer l’accès.",
        "",
        f"Quoi\u00a0: {kind}. Deux évaluateurs l’ont vérifié. {match}",
        f"Où\u00a0: {defanged(text.url)}",
        *([f"Page\u00a0: {defanged(text.page_url)}"] if text.page_url and text.page_url != text.url else []),
        *([f"Adresse\u00a0: {text.server_address}"] if text.server_address else []),
        f"Vue la première fois\u00a0: {_words(text.first_seen_at)}",
        f"Toujours là\u00a0: {_words(text.verified_at)}",
        *_fingerprint_lines(text),
        "",
        f"Les liens ci-dessus sont écrits de façon que personne ne les ouvre par accident. {how}",
        "Veuillez ne pas nous envoyer l’image. Conservez les données de compte que la loi vous oblige à conserver.",
        "",
        f"Dites-nous ce que vous avez fait. Une question, sans compte\u00a0; le lien sert une fois, {days} jours\u00a0:",
        text.answer_url_fr,
        "",
        f"Nous revérifions l’emplacement nous-mêmes. Tant que l’image y est, nous écrivons toutes les {hours} heures.",
        "Nous déclarons de bonne foi que cet avis est exact et complet.",
        *_contact(text.sender.name_fr, text),
    ]


def _contact(name: str, text: NoticeText) -> list[str]:
    phone = [text.sender.phone] if text.sender.phone else []
    return ["", ", ".join([name, text.sender.email, *phone])]


def _fingerprint_lines(text: NoticeText) -> list[str]:
    lines = []
    if text.exact and text.fingerprints.sha256:
        lines.append(f"SHA-256: {text.fingerprints.sha256}")
    if text.fingerprints.pdq:
        lines.append(f"PDQ: {text.fingerprints.pdq}")
    return lines


def _words(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def _text_part(content: str) -> MIMEPart:
    part = MIMEPart(policy=SMTP)
    part.set_content(content, subtype="plain", charset="utf-8", cte="quoted-printable")
    return part


def _feedback_part(text: NoticeText) -> MIMEPart:
    """RFC 5965 part. `other`: its registry has no word for what this is."""
    fields = [
        "Feedback-Type: other",
        "User-Agent: Vigil/0.1",
        "Version: 1",
        f"Report-ID: {text.number}",
        f"Arrival-Date: {format_datetime(text.verified_at.astimezone(UTC))}",
        *([f"Source-IP: {text.server_address}"] if text.server_address else []),
    ]
    part = MIMEPart(policy=SMTP)
    part["Content-Type"] = "message/feedback-report"
    part.set_payload("\r\n".join(fields) + "\r\n")
    return part


def _json_part(content: bytes) -> MIMEPart:
    part = MIMEPart(policy=SMTP)
    part.set_content(
        content, maintype="application", subtype="json", filename="xarf.json", disposition="attachment", cte="base64"
    )
    part.set_param("name", "xarf.json")
    return part


def parsed_notice(raw: bytes) -> dict[str, Any]:
    """Read a notice mail back: its headers, the human text and the XARF document."""
    message = message_from_bytes(raw, policy=SMTP)
    parts = list(message.iter_parts())
    document = json.loads(parts[2].get_content()) if len(parts) > 2 else None
    return {
        "message_id": str(message["Message-ID"]),
        "subject": str(message["Subject"]),
        "from": str(message["From"]),
        "to": str(message["To"]),
        "date": message["Date"].datetime if message["Date"] else None,
        "content_type": message.get_content_type(),
        "report_type": message.get_param("report-type"),
        "part_types": [part.get_content_type() for part in parts],
        "text": parts[0].get_content(),
        "xarf": document,
    }
