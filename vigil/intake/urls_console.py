"""Routes of this room at the console: reports that staff take in."""

from __future__ import annotations

from django.urls import path

from vigil.intake.views import staff

app_name = "intake_staff"
urlpatterns = [
    path("reports/new", staff.call, name="call"),
    path("reports/list", staff.take_list, name="list"),
    path("reports/list/refused", staff.refused_lines, name="refused_lines"),
]
