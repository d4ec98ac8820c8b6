"""Forms of the console. They read what was typed; the services decide whether it may be so."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from vigil.casework import words
from vigil.core.errors import Invalid
from vigil.core.ids import parse_number

# What is wrong with a field, in words, by the code that a service gives.
SENTENCES: dict[str, Any] = {
    "decision.missing": _("Choose a decision"),
    "reason.missing": _("Choose a reason"),
    "reason.other_decision": _("Choose a reason that belongs to the decision"),
    "note.unusable": _("The note is too long or cannot be read"),
    "duplicate.reappeared": _(
        "A place of this incident was removed before. It is a reappearance, not a duplicate: decide about it"
    ),
    "duplicate.unknown": _("Enter the number of another incident that you may see"),
    "message.unusable": _("Write a question of at most 5,000 characters"),
    "number.unreadable": _("Enter a number such as 7K3M-9Q2-X4A"),
    "case.unknown": _("Enter the number of a case that you may see"),
    "entry.bad_classification": _("Choose a classification"),
    "entry.bad_verdict": _("Choose what you saw"),
}


def _choices(table: dict[str, words.Words]) -> list[tuple[str, Any]]:
    return list(table.items())


class CodedForm(forms.Form):
    """A form that takes a service's refusal: each named field gets its sentence."""

    required_css_class = "required"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)

    def take(self, refusal: Invalid) -> None:
        """Show what a service found wrong, at the fields that it named."""
        for name, code in refusal.fields.items():
            sentence = SENTENCES.get(code, SENTENCES["number.unreadable"])
            self.add_error(name if name in self.fields else None, str(sentence))


class DecisionForm(CodedForm):
    """Decide an incident: what, why, and words for colleagues."""

    fence = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2_000_000_000)
    decision = forms.ChoiceField(
        label=_("Decision"),
        choices=_choices(words.DECISIONS),
        widget=forms.RadioSelect,
        error_messages={"required": SENTENCES["decision.missing"]},
    )
    reason = forms.ChoiceField(
        label=_("Reason"),
        choices=[
            ("", _("Choose")),
            *((words.DECISIONS[decision], _choices(reasons)) for decision, reasons in words.REASONS.items()),
        ],
        error_messages={"required": SENTENCES["reason.missing"]},
    )
    duplicate_of = forms.CharField(
        label=_("Number of the other incident"),
        help_text=_("For a duplicate only."),
        required=False,
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "off", "class": "short"}),
    )
    note = forms.CharField(
        label=_("Note for colleagues"),
        help_text=_("Kept encrypted. Do not copy links or the reporter's words."),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class QuestionForm(CodedForm):
    """Ask the reporter something."""

    message = forms.CharField(
        label=_("Your question"),
        help_text=_("The reporter sees it when they check their report. Write in the language of the report."),
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": SENTENCES["message.unusable"]},
    )


class CaseNumberForm(CodedForm):
    """Which case an incident goes into."""

    case = forms.CharField(
        label=_("Number of the case"),
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "off", "class": "short"}),
        error_messages={"required": SENTENCES["number.unreadable"]},
    )

    def clean_case(self) -> str:
        """The canonical ten characters."""
        try:
            return parse_number(self.cleaned_data["case"])
        except Invalid as exc:
            raise forms.ValidationError(SENTENCES["number.unreadable"]) from exc


class ProposalForm(CodedForm):
    """Propose one candidate for the list."""

    candidate = forms.UUIDField(widget=forms.HiddenInput)
    classification = forms.ChoiceField(
        label=_("Classification"),
        choices=_choices(words.CLASSIFICATIONS),
        error_messages={"required": SENTENCES["entry.bad_classification"]},
    )


class VerdictForm(CodedForm):
    """What an assessor saw."""

    verdict = forms.ChoiceField(
        label=_("What did you see?"),
        choices=_choices(words.VERDICTS),
        widget=forms.RadioSelect,
        error_messages={"required": SENTENCES["entry.bad_verdict"], "invalid_choice": SENTENCES["entry.bad_verdict"]},
    )


class WithdrawalForm(CodedForm):
    """Why an entry is taken back."""

    reason = forms.ChoiceField(
        label=_("Why is it withdrawn?"),
        choices=_choices(words.WITHDRAWALS),
        widget=forms.RadioSelect,
        error_messages={"required": SENTENCES["reason.missing"], "invalid_choice": SENTENCES["reason.missing"]},
    )
