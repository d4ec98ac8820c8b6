"""Routes of this room at the public origin: figures for everybody."""

from __future__ import annotations

from django.urls import path

from vigil.oversight import public_views as views
from vigil.web.http import bilingual

app_name = "figures"
urlpatterns = [
    *bilingual("page", "figures", "chiffres", views.figures),
    *bilingual("release", "figures/<int:version>", "chiffres/<int:version>", views.figures),
    path("figures.csv", views.figures_csv, name="csv"),
    path("figures.json", views.figures_json, name="json"),
    path("figures/<int:version>.csv", views.figures_csv, name="release_csv"),
    path("figures/<int:version>.json", views.figures_json, name="release_json"),
    path("figures-dictionary.csv", views.dictionary_csv, name="dictionary"),
]
