"""Routes of the report site: every page at an English and a French address."""

from __future__ import annotations

from django.urls import URLPattern, path
from django.views.generic import RedirectView

from vigil.intake import views
from vigil.web.http import bilingual

app_name = "intake"

urlpatterns: list[URLPattern] = [
    path("", views.choose_language, name="choose"),
    path("en", RedirectView.as_view(url="/en/")),
    path("fr", RedirectView.as_view(url="/fr/")),
    *bilingual("home", "", "", views.home),
    *bilingual("before", "before-you-start", "avant-de-commencer", views.before_you_start),
    *bilingual("danger", "report/danger", "signaler/danger", views.question, {"step": "danger"}),
    *bilingual("who", "report/for-whom", "signaler/pour-qui", views.question, {"step": "who"}),
    *bilingual("about", "report/about", "signaler/sujet", views.question, {"step": "about"}),
    *bilingual("details", "report/details", "signaler/details", views.question, {"step": "details"}),
    *bilingual("contact", "report/contact", "signaler/coordonnees", views.question, {"step": "contact"}),
    *bilingual("check", "report/check", "signaler/verifier", views.check),
    *bilingual("sent", "report/sent", "signaler/envoye", views.sent),
    *bilingual("status", "status", "suivi", views.status),
    *bilingual("help", "help", "aide", views.help_page),
    *bilingual("privacy", "privacy", "vie-privee", views.privacy),
    *bilingual("crawler", "crawler", "robot", views.crawler),
    *bilingual("leave", "leave", "quitter", views.leave),
]
