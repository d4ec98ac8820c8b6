"""What every form of the report site shares: the register, the trap, no help from the browser."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from vigil.intake.questions import Text, Words

#: No autofill on a shared computer, no spelling service that sends words elsewhere.
PRIVATE = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}


class StepForm(forms.Form):
    """One question page. `young` chooses the register; `trap` is a field that people do not see and programs fill in."""

    use_required_attribute = False
    trap = forms.CharField(
        required=False, max_length=200, widget=forms.TextInput(attrs={"tabindex": "-1", "autocomplete": "off"})
    )

    def __init__(self, *args: Any, young: bool = False, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)
        self.young = young

    def say(self, words: Words) -> Text:
        """A text in this form's register."""
        return words.said_to(self.young)

    @property
    def shown_fields(self) -> list[forms.BoundField]:
        """The fields a person sees, in order."""
        return [self[name] for name in self.fields if name != "trap"]

    @property
    def looks_automatic(self) -> bool:
        """True when the hidden field was filled in."""
        return bool(str(self.data.get("trap", "")).strip()) if self.is_bound else False


def radio(
    label: Text, choices: tuple[tuple[str, Text], ...], *, missing: Text | None, help_text: Text = ""
) -> forms.ChoiceField:
    """A group of radio buttons; needed exactly when a sentence for its absence is given."""
    errors: dict[str, Text] = {"invalid_choice": _("Choose one of the answers.")}
    if missing is not None:
        errors["required"] = missing
    return forms.ChoiceField(
        label=label,
        choices=choices,
        required=missing is not None,
        widget=forms.RadioSelect,
        help_text=help_text,
        error_messages=errors,
    )
