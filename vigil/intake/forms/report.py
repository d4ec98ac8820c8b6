"""The question pages' forms: parse, check, keep. Errors say what is wrong and how to go on, in the person's language."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from vigil.core.addresses import normalise
from vigil.core.errors import Invalid
from vigil.intake import questions as q
from vigil.intake.forms.base import PRIVATE, StepForm, radio
from vigil.intake.questions import Text, Words


class DangerForm(StepForm):
    """Is someone in danger?"""

    danger = radio(
        _("Is someone in danger right now?"),
        q.YES_NO_UNSURE,
        missing=_("Say whether someone is in danger right now. “I am not sure” is an answer too."),
        help_text=_("If someone is in danger now, call 911. You can go on here as well."),
    )


class WhoForm(StepForm):
    """For whom, and how old when it is for oneself."""

    who = radio(_("Who are you reporting for?"), q.WHO, missing=_("Choose who you are reporting for."))
    age_band = forms.ChoiceField(
        label=_("How old are you?"),
        choices=q.AGE_BANDS,
        required=False,
        widget=forms.RadioSelect,
        help_text=_("Only if you are reporting for yourself. It helps us to use words that fit."),
        error_messages={"invalid_choice": _("Choose one of the answers.")},
    )

    def clean(self) -> dict[str, Any]:
        """The age is asked of a person who reports for themself, and of nobody else."""
        data = super().clean() or {}
        if data.get("who") == "me" and not data.get("age_band") and "age_band" not in self.errors:
            self.add_error("age_band", _("Choose your age, or “I prefer not to say”."))
        if data.get("who") != "me":
            data["age_band"] = ""
        return data


class AboutForm(StepForm):
    """Which situations; several may be chosen."""

    situations = forms.MultipleChoiceField(
        label=_("What is it about?"),
        help_text=_("You can choose more than one."),
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": _("Choose at least one answer. “I am not sure” is an answer too."),
            "invalid_choice": _("Choose from the answers on this page."),
            "invalid_list": _("Choose from the answers on this page."),
        },
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["situations"]
        field.choices = [(code, self.say(words)) for code, words in q.SITUATIONS.items()]  # type: ignore[attr-defined]
        if self.young:
            field.help_text = pgettext_lazy("young", "You can choose more than one.")
            field.error_messages["required"] = pgettext_lazy(
                "young", "Choose at least one answer. “I am not sure” is an answer too."
            )


LINKS_LABEL = Words(_("Links"), pgettext_lazy("young", "Links"))
LINK_LABEL = Words(_("Link %(number)s"), pgettext_lazy("young", "Link %(number)s"))
HANDLE_LABEL = Words(_("Name or account %(number)s"), pgettext_lazy("young", "Name or account %(number)s"))
NARRATIVE_LABEL = Words(_("What happened, in your words"), pgettext_lazy("young", "What happened, in your words"))
NARRATIVE_HELP = Words(
    _("You do not need to prove it. Telling us is enough. Up to 5,000 characters."),
    pgettext_lazy("young", "You do not need to prove it. Telling us is enough. Up to 5,000 characters."),
)
NARRATIVE_LONG = Words(
    _("Your text is too long: keep it to 5,000 characters. You can add more after sending."),
    pgettext_lazy("young", "Your text is too long: keep it to 5,000 characters. You can add more after sending."),
)
LINK_WRONG = Words(
    _("This is not a web address we can read. Correct it, or move it to your own words below."),
    pgettext_lazy("young", "This is not a web address we can read. Correct it, or move it to your own words below."),
)
LINK_LONG = _("This link is too long. Move it to your own words below.")
HANDLE_LONG = _("This name is too long: keep it to 200 characters.")
NOTHING_TOLD = Words(
    _("Write what happened, or give a link or a name. A few words are enough."),
    pgettext_lazy("young", "Write what happened, or give a link or a name. A few words are enough."),
)


def _rows(values: list[str], rows: int) -> list[str]:
    return (values + [""] * rows)[: max(rows, len(values))]


class DetailsForm(StepForm):
    """Follow-ups of the chosen situations, links, names, own words. Built for one draft, since its fields depend on it."""

    def __init__(self, *args: Any, follow_ups: list[str], links: int = 1, handles: int = 1, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.follow_ups = follow_ups
        for code in follow_ups:
            self.fields[code] = radio(self.say(q.FOLLOW_UPS[code]), q.YES_NO_UNSURE, missing=None)
        self.link_names = [f"link_{index}" for index in range(min(links, q.MAX_LINKS))]
        self.handle_names = [f"handle_{index}" for index in range(min(handles, q.MAX_HANDLES))]
        for index, name in enumerate(self.link_names):
            self.fields[name] = self._line(self.say(LINK_LABEL), index, q.MAX_LINK_CHARACTERS, LINK_LONG)
        for index, name in enumerate(self.handle_names):
            self.fields[name] = self._line(self.say(HANDLE_LABEL), index, q.MAX_HANDLE_CHARACTERS, HANDLE_LONG)
        self.fields["narrative"] = forms.CharField(
            label=self.say(NARRATIVE_LABEL),
            help_text=self.say(NARRATIVE_HELP),
            required=False,
            max_length=q.MAX_NARRATIVE_CHARACTERS,
            widget=forms.Textarea(attrs={"rows": 8, "autocomplete": "off", "spellcheck": "false"}),
            error_messages={"max_length": self.say(NARRATIVE_LONG)},
        )
        self.fields["narrative"].widget.attrs.pop("maxlength", None)  # a browser would cut a pasted text silently

    @staticmethod
    def _line(label: Text, index: int, longest: int, too_long: Text) -> forms.CharField:
        field = forms.CharField(
            label=str(label) % {"number": index + 1},
            required=False,
            max_length=longest,
            widget=forms.TextInput(attrs=dict(PRIVATE)),
            error_messages={"max_length": too_long},
        )
        field.widget.attrs.pop("maxlength", None)
        return field

    def clean(self) -> dict[str, Any]:
        """Links must be readable as web addresses; something must have been told."""
        data = super().clean() or {}
        for name in self.link_names:
            if data.get(name):
                try:
                    normalise(data[name])
                except Invalid:
                    self.add_error(name, str(self.say(LINK_WRONG)))
        told = [*self.link_names, *self.handle_names, "narrative"]
        if not any(self.data.get(name, "").strip() for name in told):
            self.add_error("narrative", str(self.say(NOTHING_TOLD)))
        return data

    @property
    def follow_up_fields(self) -> list[forms.BoundField]:
        """The radio questions."""
        return [self[code] for code in self.follow_ups]

    @property
    def link_fields(self) -> list[forms.BoundField]:
        """The rows for links."""
        return [self[name] for name in self.link_names]

    @property
    def handle_fields(self) -> list[forms.BoundField]:
        """The rows for names and accounts."""
        return [self[name] for name in self.handle_names]


class ContactForm(StepForm):
    """How to reach the person: all of it optional."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["contact_name"] = self._line(
            Words(_("What may we call you?"), pgettext_lazy("young", "What may we call you?")),
            Words(
                _("A first name or an invented one is fine."),
                pgettext_lazy("young", "A first name or an invented one is fine."),
            ),
        )
        self.fields["contact_way"] = self._line(
            Words(_("Telephone or email"), pgettext_lazy("young", "Telephone or email")),
            Words(
                _("A person who reads your report may have a question."),
                pgettext_lazy("young", "A person who reads your report may have a question."),
            ),
        )
        self.fields["contact_safe"] = self._line(
            Words(
                _("When and how is it safe to contact you?"),
                pgettext_lazy("young", "When and how is it safe to contact you?"),
            ),
            Words(
                _("For example: only by text, only on weekdays."),
                pgettext_lazy("young", "For example: only by text, only on weekdays."),
            ),
        )
        self.fields["may_share"] = radio(
            self.say(
                Words(
                    _("May your contact details go to the police with your report, if it goes there?"),
                    pgettext_lazy(
                        "young", "May your contact details go to the police with your report, if it goes there?"
                    ),
                )
            ),
            q.YES_NO,
            missing=None,
        )

    def _line(self, label: Words, help_text: Words) -> forms.CharField:
        field = forms.CharField(
            label=self.say(label),
            help_text=self.say(help_text),
            required=False,
            max_length=q.MAX_CONTACT_CHARACTERS,
            widget=forms.TextInput(attrs=dict(PRIVATE)),
            error_messages={"max_length": _("This is too long: keep it to 300 characters.")},
        )
        field.widget.attrs.pop("maxlength", None)
        return field


def row_count(data: QueryDict, prefix: str, most: int) -> int:
    """How many rows of a kind a posted page had: at least one, never more than allowed."""
    numbers = [
        int(name[len(prefix) :])
        for name in data
        if name.startswith(prefix) and name[len(prefix) :].isdecimal() and len(name) < 12
    ]
    return min(max([number + 1 for number in numbers], default=1), most)
