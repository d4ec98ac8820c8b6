"""Routes of the report site: every page at one address for each language of the hotline."""

from __future__ import annotations

from django.urls import URLPattern, path
from django.views.generic import RedirectView

from vigil.intake.views import pages, report, saved, status
from vigil.web.http import bilingual
from vigil.web.languages import public_languages

app_name = "intake"

urlpatterns: list[URLPattern] = [
    path("", pages.choose_language, name="choose"),
    *(path(code, RedirectView.as_view(url=f"/{code}/")) for code in public_languages()),
    *bilingual("home", "", "", pages.home),
    *bilingual("before", "before-you-start", "avant-de-commencer", pages.before_you_start),
    *bilingual("safety", "before-you-start/traces", "avant-de-commencer/traces", pages.safety),
    *bilingual("check", "report/check", "signaler/verifier", report.check),
    *bilingual("sent", "report/sent", "signaler/envoye", report.sent),
    *bilingual("saved", "report/saved", "signaler/garde", saved.saved),
    *bilingual("question", "report/<slug:page>", "signaler/<slug:page>", report.question),
    *bilingual("resume", "come-back", "reprendre", saved.resume),
    *bilingual("status", "status", "suivi", status.status),
    *bilingual("help", "help", "aide", pages.help_page),
    *bilingual("crawler", "crawler", "robot", pages.crawler),
    *bilingual("leave", "leave", "quitter", pages.leave),
]
