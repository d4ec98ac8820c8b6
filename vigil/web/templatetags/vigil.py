"""Filters and tags of every page. Django escapes the texts that come from people; nothing here marks anything safe."""

from __future__ import annotations

import unicodedata
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import template
from django.conf import settings
from django.forms import BoundField, Form
from django.http import HttpRequest
from django.urls import NoReverseMatch, is_valid_path, reverse
from django.utils import formats, timezone, translation
from django.utils.translation import gettext as _

from vigil.core.hotline import STAFF_LANGUAGES, hotline
from vigil.web.context import current_language, help_lines_in, installation
from vigil.web.errors import sentence_of, title_of
from vigil.web.http import page_to_come_back_to, page_url, path_in_other_language
from vigil.web.languages import language_name, languages_here, other_languages_of

register = template.Library()

NBSP = "\u00a0"
_MONTHS_FR = [
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
]
_MONTHS_EN = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]


@register.filter
def visible(value: object) -> str:
    """Text with direction marks, zero-width and control characters spelled out, so that it cannot look like another."""
    shown = []
    for char in str(value if value is not None else ""):
        hidden = unicodedata.category(char) in {"Cc", "Cf", "Co", "Cs"} and char not in "\n\t\r"
        shown.append(f"\u27e8U+{ord(char):04X}\u27e9" if hidden else char)
    return "".join(shown)


@register.filter
def defang(value: object) -> str:
    """A link as text that nothing turns into a link: `https://a.example/x` becomes `hxxps[:]//a[.]example/x`.

    The host is shown in its ASCII form when it has one, hidden characters are spelled out, every dot is broken.
    """
    text = str(value if value is not None else "")
    scheme, separator, rest = text.partition("://")
    if separator:
        end = min((rest.find(mark) for mark in "/?#" if mark in rest), default=len(rest))
        try:
            host = rest[:end].encode("idna").decode() if not rest[:end].isascii() else rest[:end]
        except UnicodeError:
            host = rest[:end]
        text = f"{scheme}{separator}{host}{rest[end:]}"
    text = visible(text).replace(".", "[.]").replace("://", "[:]//").replace("@", "[@]")
    lowered = text[:4].lower()
    return f"hxxp{text[4:]}" if lowered == "http" else text


@register.filter
def number(value: object) -> str:
    """A number grouped by thousands: 1,234.5 in English, 1 234,5 (no-break space) in French, other languages by Django."""
    if value is None or value == "":
        return ""
    if current_language() not in STAFF_LANGUAGES:
        plain = value if isinstance(value, (int, float)) else float(str(value))
        return formats.number_format(plain, use_l10n=True, force_grouping=True)
    text = f"{value:,}" if isinstance(value, (int, float)) else f"{float(str(value)):,}"
    if current_language() == "fr":
        return text.replace(",", NBSP).replace(".", ",")
    return text


def _local(value: datetime) -> datetime:
    zone = ZoneInfo(settings.TIME_ZONE)
    return (timezone.make_aware(value, zone) if timezone.is_naive(value) else value).astimezone(zone)


@register.filter
def when(value: datetime | date | None, form: str = "") -> str:
    """An instant in words: `November 24, 2026, 2:30 p.m.` / `24 novembre 2026, 14 h 30`; `when:"day"` stops there.

    Languages other than English and French are written as Django's formats say.
    """
    if not value:
        return ""
    local: datetime | date = _local(value) if isinstance(value, datetime) else value
    if current_language() not in STAFF_LANGUAGES:
        to_the_minute = isinstance(local, datetime) and form != "day"
        return str(formats.date_format(local, "DATETIME_FORMAT" if to_the_minute else "DATE_FORMAT", use_l10n=True))
    french = current_language() == "fr"
    if french:
        first = "1er" if local.day == 1 else str(local.day)
        day = f"{first}{NBSP}{_MONTHS_FR[local.month - 1]}{NBSP}{local.year}"
    else:
        day = f"{_MONTHS_EN[local.month - 1]}{NBSP}{local.day}, {local.year}"
    if form == "day" or not isinstance(local, datetime):
        return day
    if french:
        return f"{day}, {local.hour}{NBSP}h{NBSP}{local.minute:02d}"
    half = "a.m." if local.hour < 12 else "p.m."
    return f"{day}, {local.hour % 12 or 12}:{local.minute:02d}{NBSP}{half}"


@register.filter
def error_target(field: BoundField) -> str:
    """The id that a link of the error summary jumps to: the input, or the first one of a group."""
    return f"{field.auto_id}_0" if field.use_fieldset else (field.id_for_label or field.auto_id)


@register.simple_tag
def page(name: str, *args: Any, **kwargs: Any) -> str:
    """Address of a page in the active language: `{% page "intake:home" %}`."""
    return page_url(name, current_language(), *args, **kwargs)


@register.simple_tag
def page_if_any(name: str) -> str:
    """Address of a page in the active language, or an empty text where this process has no such page."""
    try:
        return page_url(name, current_language())
    except NoReverseMatch:
        return ""


@register.simple_tag(takes_context=True)
def title_prefix(context: template.Context) -> str:
    """`Error: ` / `Erreur : ` before the title of a page whose form has errors."""
    form = context.get("form")
    return f"{_('Error:')} " if isinstance(form, Form) and form.is_bound and form.errors else ""


def _in_path(path_info: str) -> bool:
    """Whether the address itself names the language; "/" does so only where there are pages in several languages."""
    here = languages_here()
    if path_info.startswith(tuple(f"/{code}/" for code in here)):
        return True
    return path_info in {"/", *(f"/{code}" for code in here)} and bool(is_valid_path(f"/{here[0]}/"))


@register.inclusion_tag("web/_language_link.html", takes_context=True)
def language_link(context: template.Context) -> dict[str, Any]:
    """The same page in each other language: a link where the language is in the path, a small form elsewhere.

    A view may put `language_url` into its context to name the address itself, or `language_form`, the id of the page's
    form: then the switch is a button of that form (name `action`, value `language`) and what was typed travels along,
    to the same page in the other language when the context has `language_formaction`. `language_asked_for` reads it.
    """
    language = current_language()
    request: HttpRequest | None = context.get("request")
    path_info = request.path_info if request else f"/{language}/"
    others = other_languages_of(language)
    named = {key: context.get(f"language_{key}", "") for key in ("url", "formaction")}

    def there(other: str) -> str:
        return path_in_other_language(path_info, language, other)

    action = ""
    if not named["url"] and not _in_path(path_info):
        try:
            action = reverse("web:language")
        except NoReverseMatch:
            action = ""
    return {
        "others": [
            {
                "code": other,
                "name": language_name(other),
                "url": "" if action else (named["url"] or there(other)),
                "formaction": named["formaction"] and (named["formaction"] if len(others) == 1 else there(other)),
                "button": "language" if len(others) == 1 else f"language-{other}",
            }
            for other in others
        ],
        "action": action,
        "next": page_to_come_back_to(request) if request else path_info,
        "form_id": context.get("language_form", ""),
        "csrf_token": context.get("csrf_token"),
    }


@register.inclusion_tag("web/_demo_banner.html", takes_context=True)
def demo_banner(context: template.Context) -> dict[str, Any]:
    """In a demonstration, on every page and in every language: nobody reads this, and where real help is."""
    if not settings.VIGIL_DEMO:
        return {"demo": False}
    said, facts = [], hotline()
    for code in languages_here():
        with translation.override(code):
            word, sentence = _("Demonstration."), _("Nobody reads what is sent here. Real help:")
            lines = help_lines_in(code)["help_lines"][:2]
            said.append({"code": code, "word": word, "sentence": sentence, "lines": lines})
    return {
        "demo": True,
        "said": said,
        "emergency": facts.emergency,
        "label": " / ".join(each["word"] for each in said),
    }


@register.inclusion_tag("web/_help.html", takes_context=True)
def help_block(context: template.Context, heading_level: int = 2) -> dict[str, Any]:
    """Whom to call, the same words in the same place on every page: the lines of the person's language and place.

    A page may know more and put it into its context: `region`, a region's code, and `audience` (child, adult, reporter);
    `young` means the audience child.
    """
    audience = context.get("audience") or ("child" if context.get("young") else None)
    region = str(context.get("region") or "")
    return {
        **installation(context["request"] if "request" in context else HttpRequest()),
        **help_lines_in(current_language(), region, audience),
        "young": bool(context.get("young")),
        "level": heading_level,
    }


@register.inclusion_tag("web/_emergency.html")
def emergency_calls() -> dict[str, Any]:
    """The emergency numbers as links, also on pages that are rendered without a request."""
    return {"emergency_numbers": hotline().emergency_numbers}


@register.simple_tag
def logos() -> list[dict[str, Any]]:
    """The partners' pictures: address, words for those who do not see them, size. Only where this process serves them."""
    try:
        return [
            {
                "url": reverse("logo", args=[each.file_name]),
                "name": each.name(current_language()),
                "width": each.width,
                "height": each.height,
            }
            for each in hotline().logos
        ]
    except NoReverseMatch:
        return []


@register.simple_tag
def front_doors() -> list[dict[str, Any]]:
    """For the page without a language: each language's own name, home page, direction, and emergency sentence."""
    doors = []
    for each in hotline().languages:
        with translation.override(each.code):
            doors.append(
                {
                    "code": each.code,
                    "name": each.name,
                    "direction": each.direction,
                    "url": f"/{each.code}/",
                    "question": _("In danger now?"),
                }
            )
    return doors


@register.inclusion_tag("web/_error_texts.html", takes_context=True)
def error_texts(context: template.Context, status: int | None = None) -> dict[str, Any]:
    """Heading and sentence of an error page, in the active language and then in the others."""
    number_of_status = int(status or context.get("status") or 500)
    code = str(context.get("code") or "")
    others = []
    for other in other_languages_of(current_language()):
        with translation.override(other):
            others.append(
                {"code": other, "title": title_of(number_of_status), "sentence": sentence_of(number_of_status, code)}
            )
    return {
        "status": number_of_status,
        "code": code,
        "title": title_of(number_of_status),
        "sentence": sentence_of(number_of_status, code),
        "others": others,
    }


@register.simple_tag
def error_title(status: int | None = None) -> str:
    """Heading of an error page."""
    return title_of(int(status or 500))


@register.simple_tag
def staff_place() -> str:
    """What stands beside the operator's name at the console and the partner origin; empty on the report site."""
    return {"console": _("Console"), "partner": _("Partners")}.get(settings.PROCESS, "")


@register.inclusion_tag("web/_nav_link.html", takes_context=True)
def nav_link(context: template.Context, label: str, name: str, *more: str) -> dict[str, Any]:
    """One link of the navigation, marked on its page, on those below it and below the addresses in `more`.

    A route that does not exist renders nothing.
    """
    request: HttpRequest | None = context.get("request")
    try:
        url = reverse(name)
    except NoReverseMatch:
        return {"label": label, "url": "", "current": False}
    here = f"{request.path_info.rstrip('/')}/" if request else ""
    return {"label": label, "url": url, "current": here.startswith((f"{url.rstrip('/')}/", *more))}


@register.simple_tag
def first_url(*names: str) -> str:
    """Address of the first route name that exists, or an empty text."""
    for name in names:
        try:
            return reverse(name)
        except NoReverseMatch:
            continue
    return ""


@register.inclusion_tag("web/_band.html")
def band(level: int) -> dict[str, Any]:
    """A triage band as a badge: number, words and a shape, so that colour is never the only sign."""
    words = [
        _("Immediate danger"),
        _("A child now"),
        _("Person with access"),
        _("New or active material"),
        _("Known material"),
        _("Information"),
    ]
    known = 0 <= int(level) < len(words)
    return {"level": int(level), "words": words[int(level)] if known else _("Unknown")}


def _staff_language() -> str:
    """Columns of rows exist in English and French."""
    language = current_language()
    return language if language in STAFF_LANGUAGES else STAFF_LANGUAGES[0]


@register.filter
def add_language(name: str) -> str:
    """`"title"|add_language` gives `title_en` or `title_fr`."""
    return f"{name}_{_staff_language()}"


@register.filter
def in_language(item: Any, attribute: str) -> str:
    """`agency|in_language:"name"` reads `name_en` or `name_fr` of an object or a mapping."""
    key = f"{attribute}_{_staff_language()}"
    return str(item[key] if isinstance(item, dict) else getattr(item, key))
