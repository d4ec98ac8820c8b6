"""Forms of the console: what somebody told by telephone or wrote in a letter, and lists of links."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from vigil.accounts.selectors import organisations
from vigil.core.hotline import hotline
from vigil.intake import receipts
from vigil.intake.forms.base import PRIVATE
from vigil.intake.forms.report import PageForm
from vigil.intake.questions import QuestionSet

WAYS = (("phone", _("A telephone call")), ("letter", _("A letter")))


class _Once(forms.Form):
    """A form that says which sending it is, so that a second press sends nothing twice."""

    use_required_attribute = False
    once = forms.CharField(widget=forms.HiddenInput, required=False, max_length=64)
    language = forms.ChoiceField(
        label=_("Language of the report"),
        error_messages={"required": _("Choose the language."), "invalid_choice": _("Choose the language.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)
        self.fields["language"].choices = [(each.code, each.name) for each in hotline().languages]  # type: ignore[attr-defined]

    @property
    def token(self) -> bytes:
        """The token of this sending; a new one when the page had none that is ours."""
        return receipts.token_from(str(self.data.get("once", ""))) or receipts.new_token()


class CallForm(_Once):
    """How it came, and in which language it was told."""

    source = forms.ChoiceField(
        label=_("How did it come?"),
        choices=WAYS,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose how it came."), "invalid_choice": _("Choose how it came.")},
    )
    field_order = ("source", "language", "once")


class ListForm(_Once):
    """A list of links, pasted or as a file, and whose it is."""

    partner = forms.ChoiceField(label=_("Who sent the list?"), required=False)
    text = forms.CharField(
        label=_("Paste the list here"),
        required=False,
        widget=forms.Textarea(attrs=dict(PRIVATE, rows=12)),
        help_text=_("One link a line. A category and a note may follow, with a semicolon between them."),
    )
    file = forms.FileField(
        label=_("Or choose a file"),
        required=False,
        allow_empty_file=True,
        help_text=_("CSV or plain text, up to 250 kB and 500 lines. Never a picture."),
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,text/csv,text/plain"}),
    )
    field_order = ("text", "file", "partner", "language", "once")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        nobody: list[tuple[str, Any]] = [("", pgettext_lazy("list", "Nobody in this list"))]
        self.fields["partner"].choices = nobody + [  # type: ignore[attr-defined]
            (each.code, each.name_en if each.name_en == each.name_fr else f"{each.name_en} / {each.name_fr}")
            for each in organisations()
        ]


def pages_of(
    asked: QuestionSet, data: QueryDict | None, *, language: str, is_sent: bool = True, more_of: str = ""
) -> tuple[list[PageForm], dict[str, Any]]:
    """Every page of a question set for one form, and the answers so far. Questions that no answer opens are left out.

    Without `is_sent` the page is only looked at again (other questions, one row more for `more_of`): nothing is an error yet.
    """
    answers: dict[str, Any] = {}
    shown: list[PageForm] = []
    for page in asked.pages:
        form = PageForm(data, asked=asked, page=page, answers=answers, language=language, young=False, rows={})
        if not form.questions:
            continue
        given = dict(answers)
        if data is not None:
            form.is_valid()
            answers |= {code: value for code, value in form.values().items() if value}
        if data is not None and not is_sent:
            rows = {
                each.code: form.rows_of(each) + (each.row_name == more_of) for each in page.questions if each.has_rows
            }
            typed = {name: values for name, values in data.lists() if isinstance(name, str)}
            form = PageForm(
                asked=asked, page=page, answers=given, language=language, young=False, rows=rows, typed=typed
            )
        shown.append(form)
    return shown, answers
