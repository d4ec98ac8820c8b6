"""Markdown as these pages use it: words, lists, links to other pages, and the operator's facts asked for by name.

    {{ emergency }} {{ operator }}                       within a sentence
    {{ report }} {{ image_help }} {{ talk }} {{ check }} buttons, on a line of their own
    {{ danger }} {{ readers }} {{ contact }} {{ law }}   panels and lists, each on a line of its own
    {{ help child }} {{ statement not_in_trouble }}      the same, with whom they are for or which one they are

No HTML, no pictures, no addresses: what a page needs from outside its words is one of the names below.
"""

from __future__ import annotations

import re
from collections.abc import Callable, MutableMapping, Sequence
from itertools import pairwise
from typing import Any

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

#: Names that stand within a sentence, buttons, and what stands alone on a line of its own.
INLINE = frozenset({"emergency", "operator"})
BUTTONS = frozenset({"report", "image_help", "talk", "check"})
BLOCKS = frozenset({"danger", "call_us", "readers", "contact", "law", "help child", "help adult", "help reporter"})
#: Sentences of the hotline's file that are shown only while their agreement is recorded.
STATEMENT = re.compile(r"statement [a-z_]+")
_ONE = r"\{\{ ([a-z_]+(?: [a-z_]+)?) \}\}"
_SHORTCODE = re.compile(_ONE)
_LINE = re.compile(rf"{_ONE}(?: {_ONE})*")
_PAGE_LINK = re.compile(r"page:([a-z][a-z0-9_]*)")


class BadText(ValueError):
    """Markdown that these pages do not take; the message says what and why."""


def _line_of_shortcodes(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    line = state.src[state.bMarks[start] + state.tShift[start] : state.eMarks[start]].strip()
    if not _LINE.fullmatch(line) or any(name in INLINE for name in _SHORTCODE.findall(line)):
        return False
    if not silent:
        state.push("shortcodes", "", 0).content = line
        state.line = start + 1
    return True


def _shortcode_in_a_sentence(state: StateInline, silent: bool) -> bool:
    found = _SHORTCODE.match(state.src, state.pos)
    if not found:
        return False
    if not silent:
        state.push("shortcode", "", 0).content = found[1]
    state.pos = found.end()
    return True


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).disable(["image", "autolink", "code", "fence", "hr", "lheading"])
    parser.validateLink = lambda url: True  # type: ignore[method-assign]  # `parse` takes links to pages and no other
    parser.block.ruler.before("paragraph", "shortcodes", _line_of_shortcodes, {"alt": ["paragraph"]})
    parser.inline.ruler.push("shortcode", _shortcode_in_a_sentence)
    return parser


_MARKDOWN = _parser()


def _walk(tokens: Sequence[Token]) -> list[Token]:
    flat: list[Token] = []
    for token in tokens:
        flat.append(token)
        flat += _walk(token.children or [])
    return flat


def _is_block(name: str) -> bool:
    return name in BUTTONS or name in BLOCKS or STATEMENT.fullmatch(name) is not None


def parse(body: str) -> list[Token]:
    """The tokens of a text. Raises BadText for an unknown name, a name in the wrong place, a link elsewhere, HTML."""
    tokens = _MARKDOWN.parse(body)
    for token in _walk(tokens):
        if token.type == "shortcode" and token.content not in INLINE:
            raise BadText(
                f"{{{{ {token.content} }}}} "
                + ("stands on a line of its own" if _is_block(token.content) else "is not known")
            )
        if token.type == "shortcodes":
            names = _SHORTCODE.findall(token.content)
            if unknown := [name for name in names if not _is_block(name)]:
                raise BadText(f"{{{{ {unknown[0]} }}}} is not known")
            if len(names) > 1 and not set(names) <= BUTTONS:
                raise BadText(f"{token.content}: only buttons stand side by side")
        if token.type == "link_open" and not _PAGE_LINK.fullmatch(str(token.attrGet("href"))):
            raise BadText(f"link to {token.attrGet('href')}: pages link to pages, as page:CODE")
        if token.type == "text" and ("{{" in token.content or "}}" in token.content):
            raise BadText(f"{token.content!r}: a name is written {{{{ name }}}}")
        if token.type == "text" and re.search(r"<[a-z/!]", token.content):
            raise BadText("HTML is not taken")
    return tokens


def headings_of(body: str) -> list[tuple[int, str]]:
    """Level and words of every heading, in order."""
    tokens = _MARKDOWN.parse(body)
    return [(int(one.tag[1]), after.content) for one, after in pairwise(tokens) if one.type == "heading_open"]


def links_of(body: str) -> list[str]:
    """Codes of the pages linked to, in order."""
    return [
        str(one.attrGet("href")).removeprefix("page:")
        for one in _walk(_MARKDOWN.parse(body))
        if one.type == "link_open"
    ]


def shortcodes_of(body: str) -> list[str]:
    """Names of the facts asked for, in order."""
    return [name for one in _walk(_MARKDOWN.parse(body)) if one.type in {"shortcode", "shortcodes"}
            for name in (_SHORTCODE.findall(one.content) or [one.content])]  # fmt: skip


def plain_blocks(body: str) -> list[str]:
    """The words of a text, one entry a heading, paragraph or list item; facts asked for are left out."""
    blocks = []
    for one in _MARKDOWN.parse(body):
        if one.type == "inline":
            words = "".join(
                " " if child.type in {"softbreak", "hardbreak"} else child.content
                for child in one.children or []
                if child.type in {"text", "softbreak", "hardbreak", "code_inline", "text_special"}
            )
            blocks.append(words.strip())
    return [block for block in blocks if block]


# ---- rendering ---------------------------------------------------------------------------------------------------------
_TAGS = {
    "p",
    "h2",
    "h3",
    "h4",
    "ul",
    "ol",
    "li",
    "strong",
    "em",
    "a",
    "div",
    "span",
    "blockquote",
    "section",
    "br",
    "code",
    "dl",
    "dt",
    "dd",
}
_CLASSES = {
    "a": {"button", "button--quiet", "nowrap"},
    "div": {"actions", "notice", "notice--danger", "panel"},
    "ul": {"help__list", "lines"},
    "p": {"quiet"},
    "dl": {"facts"},
    "span": {"nowrap"},
}


def render(
    body: str, *, address: Callable[[str], str], fact: Callable[[str], str], line: Callable[[list[str]], str]
) -> str:
    """The text as clean HTML.

    address: where the page of a code stands. fact: HTML of a name within a sentence. line: HTML of a line of names.
    """
    tokens = parse(body)
    for token in _walk(tokens):
        if token.type == "link_open":
            token.attrSet("href", address(str(token.attrGet("href")).removeprefix("page:")))
    env: MutableMapping[str, Any] = {"fact": fact, "line": line}
    html = _MARKDOWN.renderer.render(tokens, _MARKDOWN.options, env)
    return nh3.clean(
        html,
        tags=_TAGS,
        attributes={"a": {"href"}, "*": {"lang"}},
        allowed_classes=_CLASSES,
        url_schemes={"tel", "mailto"},
        link_rel=None,
    )


def _render_line(self: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    return str(env["line"](_SHORTCODE.findall(tokens[index].content)))


def _render_fact(self: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    return str(env["fact"](tokens[index].content))


_MARKDOWN.add_render_rule("shortcodes", _render_line)
_MARKDOWN.add_render_rule("shortcode", _render_fact)
