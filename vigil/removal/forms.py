"""Forms of the removal room."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from vigil.removal.services import AnswerForm
from vigil.removal.services.answering import MAX_WORDS

KINDS = [
    ("removed", _("We removed it")),
    ("already_gone", _("It was already gone")),
    ("not_ours", _("It is not on our service")),
    ("need_more", _("We need more information")),
    ("disagree", _("We disagree")),
]

SENTENCES = {
    "answer.kind_missing": _("Choose what you did."),
    "answer.words_missing": _("Write a few words: who runs the service, what you need, or why you disagree."),
    "answer.words_too_long": _("Shorten your text to 2,000 characters."),
    "answer.kept_evidence_odd": _("Choose yes or no, or leave it open."),
    "answer.not_confirmed": _("Confirm first that you answer for the provider."),
    "provider.address_invalid": _("Enter one mail address, for example abuse@provider.example."),
    "provider.name_missing": _("Enter the provider's name."),
}


class ProviderAnswer(forms.Form):
    """The one question of the answer page."""

    kind = forms.ChoiceField(
        label=_("What did you do?"),
        choices=KINDS,
        widget=forms.RadioSelect,
        error_messages={
            "required": SENTENCES["answer.kind_missing"],
            "invalid_choice": SENTENCES["answer.kind_missing"],
        },
    )
    words = forms.CharField(
        label=_("In a few words"),
        help_text=_(
            "Needed when it is not on your service, when you need more or when you disagree. Do not paste links."
        ),
        required=False,
        max_length=MAX_WORDS,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"max_length": SENTENCES["answer.words_too_long"]},
    )
    kept_evidence = forms.ChoiceField(
        label=_("Did you keep the account data that your law asks you to keep?"),
        choices=[("yes", _("Yes")), ("no", _("No"))],
        required=False,
        widget=forms.RadioSelect,
        error_messages={"invalid_choice": SENTENCES["answer.kept_evidence_odd"]},
    )

    def to_answer(self) -> AnswerForm:
        """What the service takes."""
        data = self.cleaned_data
        return AnswerForm(kind=data["kind"], kept_evidence=data["kept_evidence"], words=data["words"])


class AddressForm(forms.Form):
    """A provider's name and mailbox, found by a person."""

    name = forms.CharField(
        label=_("Name of the provider"), max_length=200, error_messages={"required": SENTENCES["provider.name_missing"]}
    )
    abuse_email = forms.CharField(
        label=_("Mailbox for abuse reports"),
        max_length=254,
        widget=forms.EmailInput,
        error_messages={"required": SENTENCES["provider.address_invalid"]},
    )


def add_errors(form: forms.Form, fields: dict[str, str]) -> None:
    """Put a service's refusals beside the fields they are about."""
    for field, code in fields.items():
        form.add_error(field if field in form.fields else None, str(SENTENCES.get(code, code)))
