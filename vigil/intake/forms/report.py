"""The form of one question page, built from the question set. Errors say what is wrong and how to go on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from vigil.core.hotline import hotline
from vigil.intake import receipts
from vigil.intake.forms.base import PRIVATE, StepForm
from vigil.intake.questions import Page, Question, QuestionSet, Words, dates
from vigil.intake.questions.model import is_address

DATE_KINDS = (
    ("", _("Choose")),
    ("day", _("On this day")),
    ("month", _("In this month")),
    ("about", _("About then")),
    ("unsure", _("I am not sure")),
)


class _Choices:
    """Marks the inputs that open the question below them, for the style sheet."""

    opens: frozenset[str] = frozenset()

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option = super().create_option(name, value, *args, **kwargs)  # type: ignore[misc]
        if str(value) in self.opens:
            option["attrs"]["class"] = "opens"
        return dict(option)


class Radios(_Choices, forms.RadioSelect):
    """Radio buttons."""


class Checkboxes(_Choices, forms.CheckboxSelectMultiple):
    """Checkboxes."""


@dataclass(frozen=True)
class Part:
    """What a page shows of one question: heading, fields, rows, and the questions that its answer opens."""

    question: Question
    code: str
    section: str
    label: str
    help: str
    fields: list[forms.BoundField]
    add: str
    can_add: bool
    opened: list[Part]
    optional: bool


class PageForm(StepForm):
    """One page of a question set, for answers so far. `rows`: how many rows each question for links or handles shows."""

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        asked: QuestionSet,
        page: Page,
        answers: Mapping[str, Any],
        language: str,
        young: bool,
        rows: Mapping[str, int],
        typed: Mapping[str, list[str]] | None = None,
        every_question: bool = False,
    ) -> None:
        super().__init__(data, young=young)
        self.asked, self.page, self.answers, self.language, self.rows = asked, page, answers, language, rows
        shown = {question.code for question in asked.shown(page, answers)}
        if every_question and data is not None:
            # Without the draft (it ran out, or the database is away) the page itself says which questions it had.
            shown |= {each.code for each in page.questions if any(name in data for name in each.field_names)}
        self.questions = [question for question in page.questions if question.code in shown]
        for question in self.questions:
            for name, field in self._fields_of(question):
                self.fields[name] = field
        if data is None:
            self.initial = self._initial(typed)

    def say(self, words: Words | None) -> str:
        """A text of the set in this page's language and register."""
        return fill(words, self.language, young=self.young)

    # ---- fields --------------------------------------------------------------------------------------------------------
    def _fields_of(self, question: Question) -> list[tuple[str, forms.Field]]:
        if question.is_choice:
            return [(question.code, self._choice(question))]
        if question.has_rows:
            return [
                (name, self._line(question, self.say(question.row_text).replace("{number}", str(index + 1))))
                for index, name in enumerate(question.field_names[: self.rows_of(question)])
            ]
        if question.type == "date_approx":
            kind = forms.ChoiceField(
                label=pgettext_lazy("date", "How exact is it?"), choices=DATE_KINDS, required=False, widget=forms.Select
            )
            text = self._line(question, self.say(question.text), longest=dates.MAX_CHARACTERS)
            text.help_text = self.say(question.help)
            return [(question.code, text), (f"{question.code}_kind", kind)]
        line = self._line(question, self.say(question.text))
        line.help_text = self.say(question.help)
        if question.type == "textarea":
            attributes = {"rows": question.lines, "autocomplete": "off", "spellcheck": "false"}
            line.widget = forms.Textarea(attrs=attributes)
        return [(question.code, line)]

    def _choice(self, question: Question) -> forms.Field:
        choices = [(option.code, self.say(option.text)) for option in question.options]
        errors = {
            "invalid_choice": _("Choose from the answers on this page."),
            "invalid_list": _("Choose from the answers on this page."),
            "required": self.say(question.missing),
        }
        common: dict[str, Any] = {
            "label": self.say(question.text),
            "help_text": self.say(question.help),
            "required": question.required,
            "error_messages": errors,
        }
        if question.type == "select":
            empty: list[tuple[str, Any]] = [("", pgettext_lazy("list", "Choose, or leave empty"))]
            return forms.ChoiceField(
                choices=empty + choices, widget=forms.Select(attrs={"autocomplete": "off"}), **common
            )
        opening = {
            code for each in self.questions for code in each.when.get(question.code, ()) if each in self.page.questions
        }
        kind: type[Radios] | type[Checkboxes] = Checkboxes if question.type == "checkbox" else Radios
        widget = kind()
        widget.opens = frozenset(opening)
        if question.type == "checkbox":
            return forms.MultipleChoiceField(choices=choices, widget=widget, **common)
        return forms.ChoiceField(choices=choices, widget=widget, **common)

    def _line(self, question: Question, label: str, *, longest: int = 0) -> forms.CharField:
        longest = longest or question.longest
        too_long = self.say(question.too_long) or _("This is too long: keep it to %(limit)s characters.") % {
            "limit": longest
        }
        field = forms.CharField(
            label=label,
            required=False,
            max_length=longest,
            widget=forms.TextInput(attrs=dict(PRIVATE)),
            error_messages={"max_length": too_long},
        )
        field.widget.attrs.pop("maxlength", None)  # a browser would cut a pasted text silently
        return field

    def rows_of(self, question: Question) -> int:
        """How many rows a question for links or handles shows."""
        if self.is_bound:
            return row_count(self.data, question)
        return min(max(self.rows.get(question.code, 1), len(self.answers.get(question.code) or []), 1), question.rows)

    def _initial(self, typed: Mapping[str, list[str]] | None) -> dict[str, Any]:
        if typed is not None:
            several = {question.code for question in self.questions if question.type == "checkbox"}
            return {name: values if name in several else (values or [""])[0] for name, values in typed.items()}
        initial: dict[str, Any] = {}
        for question in self.questions:
            answer = self.answers.get(question.code)
            if question.has_rows:
                initial |= dict(zip(question.field_names, answer or [], strict=False))
            elif question.type == "date_approx" and answer:
                initial |= {question.code: answer["value"], f"{question.code}_kind": answer["kind"]}
            else:
                initial[question.code] = answer
        return initial

    # ---- answers -------------------------------------------------------------------------------------------------------
    def clean(self) -> dict[str, Any]:
        """Links must be readable as web addresses; on the page that has the last of them, something must have been told."""
        data = super().clean() or {}
        for question in self.questions:
            if question.type == "links":
                for name in question.field_names[: self.rows_of(question)]:
                    if data.get(name) and not is_address(data[name]):
                        self.add_error(
                            name, self.say(question.wrong) or str(_("This is not a web address we can read."))
                        )
        told = [each for code in self.asked.told if (each := self.asked.question(code)) is not None]
        here = [each for each in told if each in self.questions]
        if told[-1] in here:
            elsewhere = any(self.answers.get(each.code) for each in told if each not in here)
            names = [name for each in here for name in each.field_names]
            if not elsewhere and not any(str(self.data.get(name, "")).strip() for name in names):
                self.add_error(told[-1].field_names[0], self.say(self.asked.told_missing))
        return data

    def values(self) -> dict[str, Any]:
        """The page's answers by question, for the draft. A question that no answer opens is answered with nothing."""
        data = self.cleaned_data
        values: dict[str, Any] = {}
        for question in self.questions:
            if question.has_rows:
                names = question.field_names[: self.rows_of(question)]
                values[question.code] = [data[name] for name in names if data.get(name)]
            elif question.type == "date_approx":
                kind = data.get(f"{question.code}_kind", "")
                values[question.code] = dates.date_answer(kind, data.get(question.code, ""), language=self.language)
            elif question.type == "checkbox":
                values[question.code] = list(dict.fromkeys(data.get(question.code) or []))
            else:
                values[question.code] = data.get(question.code) or ""
        merged = {**self.answers, **values}
        return {
            question.code: values[question.code] if self.asked.applies(question, merged) else ""
            for question in self.questions
        }

    # ---- for the template ----------------------------------------------------------------------------------------------
    @property
    def parts(self) -> list[Part]:
        """The page's questions in order; those that open on the page itself stand inside the one that opens them."""
        return [self._part(question) for question in self.questions if not self._opener(question)]

    def _opener(self, question: Question) -> str:
        opener = self.asked.depends_on_same_page(question)
        return opener if any(each.code == opener for each in self.questions) else ""

    def _part(self, question: Question) -> Part:
        count = self.rows_of(question) if question.has_rows else 0
        names = question.field_names[:count] if count else question.field_names
        return Part(
            question=question,
            code=question.code,
            section=self.say(question.section),
            label=self.say(question.text),
            help=self.say(question.help),
            fields=[self[name] for name in names if name in self.fields],
            add=self.say(question.add_text),
            can_add=question.has_rows and count < question.rows,
            opened=[self._part(each) for each in self.questions if self._opener(each) == question.code],
            optional=not question.required and not question.is_choice,
        )


def fill(words: Words | None, language: str, *, young: bool) -> str:
    """A text of a set, with the facts of the installation put in."""
    return "" if words is None else words.said(language, young=young).replace("{emergency}", hotline().emergency)


def row_count(data: Mapping[str, Any], question: Question) -> int:
    """How many rows of a question a posted page had: at least one, never more than allowed."""
    present = [index + 1 for index, name in enumerate(question.field_names) if name in data]
    return max(present, default=1)


class CodeForm(StepForm):
    """The code of a report that was saved for later."""

    code = forms.CharField(
        label=_("Your code"),
        help_text=_("16 characters, for example 7K3M-9Q2X-4A8B-C5D1."),
        max_length=60,
        widget=forms.TextInput(attrs=dict(PRIVATE, **{"class": "short"})),
        error_messages={"required": _("Type the code that you wrote down.")},
    )

    def clean_code(self) -> str:
        """The check character tells a slip of the pen from a code that is gone."""
        code: str = self.cleaned_data["code"]
        if not receipts.parse_code(code):
            raise forms.ValidationError(
                _("A character is wrong or missing in this code. Compare it with what you wrote down.")
            )
        return code
