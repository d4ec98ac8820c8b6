"""The sentence for each error code of oversight that a person can meet."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

SENTENCES: dict[str, str | Promise] = {
    "statistics.not_found": _("There is no such release."),
    "statistics.too_soon": _(
        "It is too soon after the last release: the difference between the two would say too much."
    ),
    "statistics.failed": _("The figures could not be computed. Nothing was published."),
    "statistics.still_busy": _(
        "Something that began before the end of the period has not ended. Try again in a moment."
    ),
}
