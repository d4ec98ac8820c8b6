"""What the errors of the list and of look-ups say to a person, in both languages."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

SENTENCES: dict[str, str | Promise] = {
    "entry.not_found": _("There is no such entry, or you may not see it."),
    "entry.already_listed": _("The same file was proposed before. It is in the list once, whatever became of it."),
    "entry.listed_out_of_sight": _("The same file was proposed before, as an entry that you may not see."),
    "entry.not_open": _("This entry is not waiting for an assessment any more. Nothing was changed."),
    "entry.not_published": _("Only a published entry can be withdrawn. Nothing was changed."),
    "entry.not_independent": _(
        "You proposed this entry or assessed it before, perhaps with another account. Somebody else has to decide."
    ),
    "entry.already_looked": _("You have had your look at this entry. The preview is shown to each assessor once."),
    "entry.look_expired": _("More than five minutes have passed, so the preview was not shown. Ask for it again."),
    "entry.not_looked": _("Look at the preview first. Nobody decides without having looked."),
    "feed.damaged": _(
        "The published list cannot be read: a part of it is missing. Tell whoever runs this installation."
    ),
}
