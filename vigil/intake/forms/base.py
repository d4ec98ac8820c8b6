"""What every form of the report site shares: the register, the trap, no help from the browser."""

from __future__ import annotations

from typing import Any

from django import forms

#: No autofill on a shared computer, no spelling service that sends words elsewhere.
PRIVATE = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}


class StepForm(forms.Form):
    """One page. `young` chooses the register; `trap` is a field that people do not see and programs fill in."""

    use_required_attribute = False
    trap = forms.CharField(
        required=False, max_length=200, widget=forms.TextInput(attrs={"tabindex": "-1", "autocomplete": "off"})
    )

    def __init__(self, *args: Any, young: bool = False, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)
        self.young = young

    @property
    def shown_fields(self) -> list[forms.BoundField]:
        """The fields a person sees, in order."""
        return [self[name] for name in self.fields if name != "trap"]

    @property
    def looks_automatic(self) -> bool:
        """True when the hidden field was filled in."""
        return bool(str(self.data.get("trap", "")).strip()) if self.is_bound else False
