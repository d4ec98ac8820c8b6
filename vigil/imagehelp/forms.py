"""The pages' forms: parse, check, keep. Errors say what is wrong and how to go on."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from vigil.core.addresses import normalise
from vigil.core.errors import Invalid
from vigil.imagehelp import fingerprints
from vigil.imagehelp.errors import BadFingerprint

#: No autofill on a shared computer, no spelling service that sends words elsewhere.
_PRIVATE = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}
MAX_LINKS = 20
MAX_LINK_CHARACTERS = 2048
MAX_HANDLE_CHARACTERS = 200

WHO = (("me", _("Me")), ("someone", _("A child or teenager I care for")))
AGES = (("under_18", _("Yes, under 18")), ("18_plus", _("No, 18 or older")), ("not_sure", _("I am not sure")))
THREAT = (("yes", _("Yes")), ("no", _("No")))


class HelpForm(forms.Form):
    """One page. `trap` is a field that people do not see and programs fill in."""

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


class WhoForm(HelpForm):
    """Can we help?"""

    who = forms.ChoiceField(
        label=_("Who is in the picture or video?"),
        choices=WHO,
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Choose who is in the picture or video."),
            "invalid_choice": _("Choose one of the answers."),
        },
    )
    age = forms.ChoiceField(
        label=_("Was the person under 18 when it was made?"),
        choices=AGES,
        widget=forms.RadioSelect,
        help_text=_("You do not need to prove it."),
        error_messages={
            "required": _("Say whether the person was under 18. “I am not sure” is an answer too."),
            "invalid_choice": _("Choose one of the answers."),
        },
    )


class FilesForm(HelpForm):
    """Fingerprints: hidden fields that the page's program fills in, and lines that were pasted."""

    pasted = forms.CharField(
        label=_("Fingerprints, one on each line"),
        help_text=_("Each line begins with pdq or md5."),
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 5, **_PRIVATE}),
        error_messages={"max_length": _("This is too long. Send up to 100 fingerprints at a time.")},
    )

    def __init__(self, *args: Any, kept: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["pasted"].widget.attrs.pop("maxlength", None)
        self.kept = kept

    def clean(self) -> dict[str, Any]:
        """Every line must be a fingerprint; there must be one."""
        data = super().clean() or {}
        lines = [*self.kept, *data.get("pasted", "").splitlines()]
        try:
            data["fingerprints"] = fingerprints.parse_lines(lines)
        except BadFingerprint as error:
            self.add_error("pasted", str(_WHY[next(iter(error.fields.values()))]))
            return data
        if not data["fingerprints"] and not self.errors:
            self.add_error(None, _("Choose at least one picture or video first."))
        return data


_WHY = {
    "imagehelp.fingerprint_unreadable": _("One of the lines is not a fingerprint. Copy the lines again, whole."),
    "imagehelp.fingerprint_of_nothing": _("One of the lines is the fingerprint of an empty file or an empty picture."),
    "imagehelp.fingerprint_too_plain": _(
        "One of the pictures is too plain, for example nearly all dark. Its fingerprint would fit many others. Leave it out."
    ),
    "imagehelp.too_many_fingerprints": _("There are too many. Send up to 100 fingerprints at a time."),
}


class WhereForm(HelpForm):
    """Where it is, and whether somebody threatens: all of it optional."""

    links = forms.CharField(
        label=_("Links, one on each line"),
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 3, **_PRIVATE}),
        error_messages={"max_length": _("This is too long. Give up to 20 links.")},
    )
    handles = forms.CharField(
        label=_("User names and apps, one on each line"),
        required=False,
        max_length=5_000,
        widget=forms.Textarea(attrs={"rows": 2, **_PRIVATE}),
        error_messages={"max_length": _("This is too long. Give up to 20 names.")},
    )
    threat = forms.ChoiceField(
        label=_("Is someone making threats with the picture or video?"),
        choices=THREAT,
        required=False,
        widget=forms.RadioSelect,
        error_messages={"invalid_choice": _("Choose one of the answers.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("links", "handles"):
            self.fields[name].widget.attrs.pop("maxlength", None)
        if self.young:
            self.fields["threat"].label = pgettext_lazy("young", "Is someone making threats with the picture or video?")

    def clean_links(self) -> list[str]:
        """Lines that are web addresses."""
        lines = _lines(self.cleaned_data["links"])
        if len(lines) > MAX_LINKS or any(len(line) > MAX_LINK_CHARACTERS for line in lines):
            raise forms.ValidationError(_("This is too long. Give up to 20 links."))
        for line in lines:
            try:
                normalise(line)
            except Invalid as exc:
                raise forms.ValidationError(
                    _("One of the lines is not a web address we can read. Correct it, or move it to the names below.")
                ) from exc
        return lines

    def clean_handles(self) -> list[str]:
        """Lines, as they are."""
        lines = _lines(self.cleaned_data["handles"])
        if len(lines) > MAX_LINKS or any(len(line) > MAX_HANDLE_CHARACTERS for line in lines):
            raise forms.ValidationError(_("This is too long. Give up to 20 names."))
        return lines


class OpenForm(HelpForm):
    """Number and code."""

    number = forms.CharField(
        label=_("Case number"),
        help_text=_("10 characters, for example 7K3M-9Q2-X4A."),
        max_length=40,
        widget=forms.TextInput(attrs={**_PRIVATE, "class": "short"}),
        error_messages={"required": _("Type the case number.")},
    )
    code = forms.CharField(
        label=_("Code"),
        help_text=_("16 characters, shown once with the case number."),
        max_length=60,
        widget=forms.TextInput(attrs={**_PRIVATE, "class": "short"}),
        error_messages={"required": _("Type the code that was shown with the case number.")},
    )


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


NOT_OPENED = _(
    "We could not open a case with this number and this code. Check both and try again. "
    "After five wrong tries, wait 15 minutes."
)
