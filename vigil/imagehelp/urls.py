"""Routes of image help on the report site."""

from __future__ import annotations

from django.urls import URLPattern

from vigil.imagehelp import views
from vigil.web.http import bilingual

app_name = "imagehelp"

urlpatterns: list[URLPattern] = [
    *bilingual("who", "remove-my-image", "retirer-mon-image", views.who),
    *bilingual("how", "remove-my-image/how-it-works", "retirer-mon-image/fonctionnement", views.how),
    *bilingual("files", "remove-my-image/files", "retirer-mon-image/fichiers", views.files),
    *bilingual("where", "remove-my-image/where", "retirer-mon-image/endroit", views.where),
    *bilingual("check", "remove-my-image/check", "retirer-mon-image/verifier", views.check),
    *bilingual("sent", "remove-my-image/sent", "retirer-mon-image/envoye", views.sent),
    *bilingual("status", "remove-my-image/status", "retirer-mon-image/suivi", views.status),
]
