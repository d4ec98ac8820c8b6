"""Forms of referrals."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from vigil.accounts.selectors import AgencyFacts
from vigil.referral.models import OUTCOME_KINDS
from vigil.referral.words import OUTCOMES


class ComposeForm(forms.Form):
    """Where a case goes, and that the summary was read."""

    package_id = forms.UUIDField(widget=forms.HiddenInput)
    agency = forms.ChoiceField(
        label=_("Which agency receives it?"),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose an agency."), "invalid_choice": _("Choose one of the agencies.")},
    )
    read = forms.BooleanField(
        label=_("I have read the summary. This goes to the police and cannot be taken back."),
        error_messages={"required": _("Confirm that you have read the summary.")},
    )

    def __init__(self, *args: Any, agencies: list[AgencyFacts], language: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        self.fields["agency"].choices = [(str(each.id), each.name(language)) for each in agencies]  # type: ignore[attr-defined]


class OutcomeForm(forms.Form):
    """What came of a referral."""

    kind = forms.ChoiceField(
        label=_("What came of it?"),
        widget=forms.RadioSelect,
        choices=[(kind, OUTCOMES[kind]) for kind in OUTCOME_KINDS],
        error_messages={"required": _("Choose what came of it."), "invalid_choice": _("Choose one of the outcomes.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
