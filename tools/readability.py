"""How easy the public's texts are to read, and whether they keep to what was agreed about words and typography.

    python -m tools.readability              every text that stands in files; exit status 1 when one does not keep to it
    python -m tools.readability FILE.md ...  these files

Texts in files: the pages of prose, the question sets, the messages of the rooms that the public meets. What pages look
like when they are put together is read by `tests/project/test_readability.py` with the same functions.

Grade: Flesch-Kincaid for English. Kandel and Moles fitted Flesch's formula to French by giving the length of words less
weight (73.6 instead of 84.6), since French words have more syllables; the French grade gives it less weight by the same
ratio. docs/decisions/0015-readability.md says why the counting is done here.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from tools import typography
from vigil.core.hotline import PUBLIC_ROOMS

ROOT = Path(__file__).resolve().parent.parent
MOST_WORDS = 25
MOST_GRADE = {"general": 8.0, "young": 6.0}
#: Headings, labels and buttons are no sentences: counted as such they would make any text look easy.
FEWEST_WORDS_OF_A_SENTENCE = 4
#: A grade of less text says little (Flesch asked for samples of 100 words); small texts are measured together.
ENOUGH_WORDS = 100
LENGTH_RATIO = (0.8, 1.6)

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"”’»\u00a0)]*\s+(?=[\"“‘«(\u00a0]*[A-ZÀ-Ý0-9])")
_NUMBER_OR_ABBREVIATION = re.compile(r"\b(a|p)\.m\.", re.IGNORECASE)


# ---- counting ----------------------------------------------------------------------------------------------------------
def words_in(text: str) -> list[str]:
    """Words; parts joined by a hyphen count apart, an elided article counts with its noun."""
    return _WORD.findall(text)


def sentences_in(text: str) -> list[str]:
    """Sentences of one paragraph, heading or list item."""
    kept = _NUMBER_OR_ABBREVIATION.sub(lambda found: found[0].replace(".", ""), text)
    return [part for part in _SENTENCE_END.split(kept) if words_in(part)]


_VOWELS_ENGLISH = re.compile(r"[aeiouy]+")
_E_AT_THE_END = re.compile(r"[^aeiouyl]e$|[^td]ed$|[^aeiousxczgh]es$|[aeiouy]le$|[^sxzcg]hes$")
_E_WITHIN = re.compile(r"[^aeiouy](?:ely|eful|eless|ement)")
_TWO_VOWELS = re.compile(r"ia(?!l|n$|ge|t[^e])|iet|io(?!n|u)|eo(?!p)|uo|(?<!q)ua[^r]|[aeiouy]ing|[^s]ism$|creat|iate")


def syllables_in_english(word: str) -> int:
    """Syllables by spelling; over our own texts as many as in a dictionary of pronunciation, within one in a hundred."""
    return max(1, _english(word.lower()))


@cache
def _english(word: str) -> int:
    if word in _ENGLISH:
        return _ENGLISH[word]
    if word.endswith(("n’t", "n't")):
        return len(_VOWELS_ENGLISH.findall(word[:-3])) + (word[-4] in "ds")
    plain = re.sub(r"['’](?:s|m|d|ll|re|ve)$", "", word)
    count = len(_VOWELS_ENGLISH.findall(plain)) + len(_TWO_VOWELS.findall(plain))
    if _E_AT_THE_END.search(plain) and not re.search(r"[^aeiouy]l(?:es|ed)$", plain):
        count -= 1
    return max(1, count - len(_E_WITHIN.findall(plain)))


#: Frequent words whose spelling misleads.
_ENGLISH = {
    "people": 2, "create": 2, "created": 3, "area": 3, "video": 3, "videos": 3, "idea": 3, "being": 2, "every": 2,
    "everyone": 3, "everything": 3, "everybody": 4, "something": 2, "someone": 2, "sometimes": 2, "somebody": 3,
    "somewhere": 2, "evening": 2, "business": 2, "different": 3, "safety": 2, "safely": 2, "hours": 2, "hour": 2,
    "our": 1, "ours": 1, "real": 1, "science": 2, "quiet": 2, "whose": 1, "give": 1, "themself": 2, "themselves": 2,
    "yourself": 2, "yourselves": 2, "online": 2, "homework": 2, "someone’s": 2, "likely": 2, "maybe": 2, "website": 2,
    "websites": 2, "used": 1, "asked": 1, "shared": 1, "saved": 1, "closed": 1, "reached": 1, "named": 1, "lines": 1,
    "times": 1, "pages": 2, "makes": 1, "takes": 1, "likes": 1, "games": 1, "names": 1, "files": 1, "phones": 1,
    "telephone": 3, "telephones": 3, "useful": 2, "careful": 2, "device": 2, "devices": 3, "here": 1, "there": 1,
    "where": 1, "were": 1, "the": 1, "me": 1, "we": 1, "he": 1, "she": 1, "be": 1, "police": 2,
}  # fmt: skip

_VOWELS_FRENCH = "aeiouyàâäéèêëîïôöùûüœæ"
_GROUP_FRENCH = re.compile(
    r"eau|aoû|œu|oui|ieu|iai|iou|oin|ouï|[iy]ez|ié|iè|ie|ia|io|oi|oî|ou|où|oû|au|ai|aî|ei|eu|eû|ui|uî|uê|oê|oe"
    rf"|[{_VOWELS_FRENCH}]"
)


@cache
def syllables_in_french(word: str) -> int:
    """Syllables by spelling. A mute e within a word counts, one at its end does not."""
    plain = re.sub(r"[^a-zàâäéèêëîïôöùûüœæç]", "", word.lower())
    plain = re.sub(r"qu|(?<=g)u(?=[eiéèêî])", lambda found: "q" if found[0] == "qu" else "", plain)
    # Between two vowels y is a consonant: en-voy-er.
    plain = re.sub(rf"(?<=[{_VOWELS_FRENCH}])y(?=[{_VOWELS_FRENCH}])", "j", plain)
    count = len(_GROUP_FRENCH.findall(plain))
    if re.search(rf"(?:[^{_VOWELS_FRENCH}]|[éiuy]|ou|ai|oi|eu)es?$", plain) and count > 1:
        # A silent ending; of "ie", "ai-e" and their like only the e that made a group of its own.
        last = list(_GROUP_FRENCH.finditer(plain))[-1][0]
        count -= last == "e"
    return max(1, count)


def syllables_in(word: str, language: str) -> int:
    """Syllables of a word; a number counts as one."""
    return syllables_in_french(word) if language == "fr" else syllables_in_english(word)


@dataclass
class Count:
    """Words, sentences and syllables of some text."""

    language: str
    words: int = 0
    sentences: int = 0
    syllables: int = 0

    def add(self, text: str) -> Count:
        """Count one more paragraph or list item; a few words alone are left out."""
        if len(words_in(text)) < FEWEST_WORDS_OF_A_SENTENCE:
            return self
        found = words_in(text)
        self.words += len(found)
        self.sentences += len(sentences_in(text))
        self.syllables += sum(syllables_in(word, self.language) for word in found)
        return self

    @property
    def grade(self) -> float:
        """Years of school that a reader needs: Flesch-Kincaid, or its French equivalent."""
        if not self.words or not self.sentences:
            return 0.0
        weight = 11.8 * (73.6 / 84.6 if self.language == "fr" else 1)
        return 0.39 * self.words / self.sentences + weight * self.syllables / self.words - 15.59

    @property
    def ease(self) -> float:
        """Flesch's reading ease, or that of Kandel and Moles: 100 is very easy, 0 very hard."""
        if not self.words or not self.sentences:
            return 100.0
        base, weight = (207.0, 73.6) if self.language == "fr" else (206.835, 84.6)
        return base - 1.015 * self.words / self.sentences - weight * self.syllables / self.words


def count_of(blocks: Iterable[str], language: str) -> Count:
    """Count paragraphs, headings and list items together."""
    count = Count(language)
    for block in blocks:
        count.add(block)
    return count


# ---- what a text must keep to --------------------------------------------------------------------------------------------
@cache
def _word_rules(language: str) -> list[tuple[re.Pattern[str], str]]:
    rules = tomllib.loads((Path(__file__).with_name("readability_words.toml")).read_text(encoding="utf-8"))
    return [
        (re.compile(rf"(?<![\w])(?:{rule['words']})(?![\w])", re.IGNORECASE), rule["say"])
        for rule in rules.get(language, [])
    ]


def long_sentences(block: str) -> list[str]:
    """Sentences of more than 25 words."""
    return [sentence for sentence in sentences_in(block) if len(words_in(sentence)) > MOST_WORDS]


def words_to_avoid(block: str, language: str) -> list[str]:
    """Words that blame or shock, each with what to say instead."""
    return [
        f"{hit[0]!r} (say: {instead}): {block!r}"
        for pattern, instead in _word_rules(language)
        for hit in pattern.finditer(block)
    ]


def problems_of(block: str, language: str) -> list[str]:
    """What one paragraph, heading or list item does wrong, whatever its grade; one line each."""
    found = [f"{len(words_in(sentence))} words in a sentence: {sentence!r}" for sentence in long_sentences(block)]
    found += words_to_avoid(block, language)
    if language == "fr":
        found += typography.problems_of(block)
    return found


@dataclass
class Reading:
    """One text that the public reads, in one language and register, as paragraphs, headings and list items."""

    name: str
    language: str
    register: str
    blocks: list[str]
    problems: list[str] = field(default_factory=list)

    @property
    def count(self) -> Count:
        """Its words, sentences and syllables."""
        return count_of(self.blocks, self.language)

    @property
    def longest(self) -> int:
        """Words of its longest sentence."""
        return max((len(words_in(one)) for block in self.blocks for one in sentences_in(block)), default=0)

    @property
    def limit(self) -> float:
        """The grade that it may have."""
        return MOST_GRADE[self.register]

    def findings(self) -> list[str]:
        """Everything that is wrong with it."""
        found = [*self.problems, *(problem for block in self.blocks for problem in problems_of(block, self.language))]
        count = self.count
        if count.words >= ENOUGH_WORDS and round(count.grade, 1) > self.limit:
            found.append(f"grade {count.grade:.1f}, at most {self.limit:.0f}")
        return found


def together(readings: Iterable[Reading]) -> list[Reading]:
    """Texts too short for a grade of their own, joined by language and register."""
    joined: dict[tuple[str, str], Reading] = {}
    for one in readings:
        if one.count.words < ENOUGH_WORDS:
            name = f"short texts together ({one.register})"
            joined.setdefault(
                (one.language, one.register), Reading(name, one.language, one.register, [])
            ).blocks.extend(one.blocks)
    return list(joined.values())


def parity_of(english: list[str], other: list[str]) -> list[str]:
    """Whether two languages say about as much."""
    ratio = sum(map(len, other)) / max(1, sum(map(len, english)))
    low, high = LENGTH_RATIO
    return [] if low <= ratio <= high else [f"is {ratio:.2f} times as long as in English; {low} to {high} is usual"]


# ---- texts that stand in files -------------------------------------------------------------------------------------------
def pages_of_prose(folder: Path) -> Iterator[Reading]:
    """The Markdown pages of a folder: `CODE/LANGUAGE.md`."""
    from vigil.awareness.markdown import plain_blocks
    from vigil.awareness.pages import read_text, shape_of

    for english in sorted(folder.glob("*/en.md")):
        first = read_text(english)
        blocks_in_english = [first.title, first.summary, *plain_blocks(first.body)]
        for file in sorted(english.parent.glob("*.md")):
            text = read_text(file)
            blocks = [text.title, text.summary, *plain_blocks(text.body)]
            problems = parity_of(blocks_in_english, blocks)
            if shape_of(text.body) != shape_of(first.body):
                problems.append("headings, links or {{ }} differ from English")
            yield Reading(f"{english.parent.name}", file.stem, text.register, blocks, problems)


def question_sets(folder: Path) -> Iterator[Reading]:
    """The question sets of a folder: every text with its languages; `young` holds the words for people under 18."""
    for file in sorted(folder.glob("*.toml")):
        texts: dict[tuple[str, str], list[str]] = {}
        _texts_in(tomllib.loads(file.read_text(encoding="utf-8")), "general", texts)
        for (language, register), blocks in sorted(texts.items()):
            yield Reading(f"questions {file.stem}", language, register, blocks)


def _texts_in(value: Any, register: str, found: dict[tuple[str, str], list[str]]) -> None:
    if isinstance(value, list):
        for each in value:
            _texts_in(each, register, found)
    elif isinstance(value, dict):
        for key, each in value.items():
            if key in {"en", "fr"} and isinstance(each, str):
                found.setdefault((key, register), []).append(each)
            else:
                _texts_in(each, "young" if key == "young" else register, found)


_PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]|%[sd]|\{\w*\}")
_TAG = re.compile(r"</?[a-z][^>]*>")


def messages(room: str) -> Iterator[Reading]:
    """The messages of a room's catalogue, in both languages and registers."""
    from tools.translations import translations_of

    texts: dict[tuple[str, str], list[str]] = {}
    for message in translations_of(ROOT / "vigil" / room):
        if not message.id:
            continue
        register = "young" if message.context == "young" else "general"
        pairs = (("en", message.id), ("fr", message.string))
        for language, value in pairs:
            for text in value if isinstance(value, (tuple, list)) else (value,):
                if text:
                    texts.setdefault((language, register), []).append(_TAG.sub("", _PLACEHOLDER.sub("7", str(text))))
    for (language, register), blocks in sorted(texts.items()):
        yield Reading(f"messages {room}", language, register, blocks)


def in_files() -> list[Reading]:
    """Every text of the public that stands in files of this repository."""
    found = [*pages_of_prose(ROOT / "vigil" / "awareness" / "pages")]
    for hotline in sorted((ROOT / "vigil" / "hotlines").glob("*/")):
        found += [*pages_of_prose(hotline / "awareness"), *question_sets(hotline / "questions")]
    found += question_sets(ROOT / "vigil" / "intake" / "question_sets")
    for room in PUBLIC_ROOMS:
        if (ROOT / "vigil" / room).is_dir():
            found += messages(room)
    return found


def in_pages(html: str) -> list[str]:
    """Paragraphs, headings, list items, labels and buttons of a page's main part, as a person reads them."""
    from selectolax.lexbor import LexborHTMLParser

    tree = LexborHTMLParser(html)
    for hidden in tree.css("script, style, .trap, [aria-hidden=true], .number"):
        hidden.decompose()
    main = tree.css_first("main")
    if main is None:
        return []
    blocks = []
    for node in main.css(
        "h1, h2, h3, h4, p, li, dt, dd, th, td, label, legend, button, a.button, caption, summary, .hint, option"
    ):
        inner = node.css("p, li, dt, dd, label, legend, h1, h2, h3, button, a.button")
        if len([one for one in inner if one.mem_id != node.mem_id]):
            continue
        text = node.text(separator="")
        # What a person has chosen or written is shown one line under the other.
        lines = text.split("\n") if "check__answer" in (node.attributes.get("class") or "") else [text]
        blocks += [line for each in lines if (line := re.sub(r"[ \n\t]+", " ", each).strip())]
    return blocks


@dataclass(frozen=True)
class Goal:
    """One thing that was measured over all of these texts."""

    what: str
    value: float
    threshold: float
    note: str


def goals(readings: Iterable[Reading] | None = None) -> list[Goal]:
    """What U12 and the typography part of U11 ask for, each as value and threshold; a note names where it is missed."""
    texts = in_files() if readings is None else list(readings)
    found = []
    for language, called in (("en", "English"), ("fr", "French")):
        for register, limit in MOST_GRADE.items():
            graded = [
                one
                for one in [*texts, *together(texts)]
                if (one.language, one.register) == (language, register) and one.count.words >= ENOUGH_WORDS
            ]
            worst = max(graded, key=lambda one: one.count.grade, default=None)
            if worst is not None:
                what = f"highest grade of a text, {called}, {'under 18' if register == 'young' else 'public'}"
                found.append(Goal(what, round(worst.count.grade, 1), limit, f"{worst.name}; {len(graded)} texts"))
    blocks = [(one, block) for one in texts for block in one.blocks]
    counted = {
        f"sentences of more than {MOST_WORDS} words": [
            (one.name, each) for one, block in blocks for each in long_sentences(block)
        ],
        "words that blame or shock": [
            (one.name, each) for one, block in blocks for each in words_to_avoid(block, one.language)
        ],
        "slips of French typography": [
            (one.name, each) for one, block in blocks if one.language == "fr" for each in typography.problems_of(block)
        ],
        "pages whose languages differ in headings, links, facts or length": [
            (one.name, each) for one in texts for each in one.problems
        ],
    }
    return found + [Goal(what, len(hits), 0, str(hits[0]) if hits else "") for what, hits in counted.items()]


# ---- the command -----------------------------------------------------------------------------------------------------------
def table(readings: list[Reading]) -> Iterator[str]:
    """One line a text: value, threshold, pass; then what is wrong with it."""
    yield f"{'text':<32} {'lang':<4} {'register':<8} {'words':>6} {'grade':>6} {'limit':>6} {'ease':>6} {'longest':>8}  result"
    for one in [*readings, *together(readings)]:
        count, findings = one.count, one.findings()
        grade = f"{count.grade:6.1f}" if count.words >= ENOUGH_WORDS else "     -"
        yield (
            f"{one.name:<32} {one.language:<4} {one.register:<8} {count.words:>6} {grade} {one.limit:>6.0f} {count.ease:>6.0f} "
            f"{one.longest:>8}  {'pass' if not findings else 'FAIL'}"
        )
        yield from (f"    {finding}" for finding in findings)


def main(arguments: list[str]) -> int:
    """Print the table; 1 when a text does not keep to what was agreed."""
    readings = in_files()
    if arguments:
        folders = {Path(name).resolve().parent for name in arguments}
        readings = [one for folder in folders for one in pages_of_prose(folder.parent) if one.name == folder.name]
    for line in table(readings):
        sys.stdout.write(f"{line}\n")
    failing = [one for one in [*readings, *together(readings)] if one.findings()]
    sys.stdout.write(f"readability: {len(readings)} texts, {len(failing)} failing\n")
    return 1 if failing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
