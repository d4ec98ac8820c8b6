"""The forms of a report's thread."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from vigil.intake import questions as q
from vigil.intake.forms.base import PRIVATE, StepForm


class StatusForm(StepForm):
    """Number and secret."""

    number = forms.CharField(
        label=_("Number of your report"),
        help_text=_("10 characters, for example 7K3M-9Q2-X4A."),
        max_length=40,
        widget=forms.TextInput(attrs=dict(PRIVATE, **{"class": "short"})),
        error_messages={"required": _("Type the number of your report.")},
    )
    secret = forms.CharField(
        label=_("Secret"),
        help_text=_("16 characters, shown once with your number."),
        max_length=60,
        widget=forms.TextInput(attrs=dict(PRIVATE, **{"class": "short"})),
        error_messages={"required": _("Type the secret that was shown with your number.")},
    )


class MessageForm(StepForm):
    """Something to add."""

    message = forms.CharField(
        label=_("Add something"),
        max_length=q.MAX_MESSAGE_CHARACTERS,
        widget=forms.Textarea(attrs={"rows": 6, "autocomplete": "off", "spellcheck": "false"}),
        error_messages={
            "required": _("Write something before you send it."),
            "max_length": _("Your text is too long: keep it to 5,000 characters."),
        },
    )

    def __init__(self, *args: Any, question_open: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["message"]
        field.widget.attrs.pop("maxlength", None)
        if question_open:
            field.label = pgettext_lazy("young", "Your answer") if self.young else _("Your answer")
        elif self.young:
            field.label = pgettext_lazy("young", "Add something")
