"""Routes of this room at the console: releases, and the chain around a number."""

from __future__ import annotations

from django.urls import path

from vigil.oversight import views

app_name = "oversight"
urlpatterns = [
    path("figures/", views.releases, name="releases"),
    path("trace/", views.trace, name="trace"),
]
