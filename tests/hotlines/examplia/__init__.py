"""Makes the folder of Examplia, a synthetic country whose public languages are Esperanto and Interlingua.

What the product says is "translated" by a program: every letter becomes a letter of another alphabet, so that a sentence
that was forgotten stands out as plain English or French on the page.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from babel.messages.mofile import write_mo
from PIL import Image, ImageDraw

from tools.translations import public_messages

HERE = Path(__file__).resolve().parent
QUESTION_SETS = HERE.parents[2] / "vigil" / "intake" / "question_sets"
_LATIN = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ALPHABETS = {
    "eo": "ąƀĉďęƒĝĥĩĵķĺɱņŏƥɋŗŝŧũʋŵҳŷžĄƁĈĎĘƑĜĤĨĴĶĹƜŅŎƤɊŖŜŦŨƲŴҲŶŽ",
    "ia": "абцдефгхийклмнопюрстувжыязАБЦДЕФГХИЙКЛМНОПЮРСТУВЖЫЯЗ",
}
_UNTOUCHED = re.compile(r"%\(\w+\)[sd]|%[sd%]|\{\w*\}|<[^>]*>|&\w+;|\\u[0-9a-fA-F]{4}|\\.")
_TEXT = re.compile(r'\b(en|fr) = "((?:[^"\\]|\\.)*)"')


def pseudo(text: str, language: str) -> str:
    """A text in another alphabet; placeholders, tags and entities stay."""
    table = str.maketrans(dict(zip(_LATIN, _ALPHABETS[language], strict=True)))
    parts, end = [], 0
    for found in _UNTOUCHED.finditer(text):
        parts += [text[end : found.start()].translate(table), found.group()]
        end = found.end()
    return "".join([*parts, text[end:].translate(table)])


def write_folder(target: Path) -> Path:
    """Everything that an operator of Examplia brings: facts, logo, translations, question sets."""
    target.mkdir(parents=True)
    shutil.copy(HERE / "hotline.toml", target)
    (target / "logos").mkdir()
    picture = Image.new("RGB", (120, 40), "white")
    ImageDraw.Draw(picture).rectangle((10, 10, 110, 30), fill="teal")
    picture.save(target / "logos" / "partner.png")
    for language in _ALPHABETS:
        catalogue = public_messages(language)
        for message in catalogue:
            if isinstance(message.id, tuple):
                message.string = tuple(pseudo(text, language) for text in message.id)
            elif message.id:
                message.string = pseudo(message.id, language)
        path = target / "locale" / language / "LC_MESSAGES"
        path.mkdir(parents=True)
        with (path / "django.mo").open("wb") as file:
            write_mo(file, catalogue)
    _question_sets(target / "questions")
    return target


def _question_sets(target: Path) -> None:
    """The shipped question sets, their English become Esperanto and their French Interlingua."""

    def other(found: re.Match[str]) -> str:
        language = {"en": "eo", "fr": "ia"}[found.group(1)]
        # Words of an address are letters and hyphens, so they stay.
        text = found.group(2) if found.string.startswith("address") else pseudo(found.group(2), language)
        return f'{language} = "{text}"'

    for file in sorted(QUESTION_SETS.glob("*.toml")):
        target.mkdir(exist_ok=True)
        lines = file.read_text(encoding="utf-8").replace('["en", "fr"]', '["eo", "ia"]').splitlines()
        (target / file.name).write_text("\n".join(_TEXT.sub(other, line) for line in lines), encoding="utf-8")
