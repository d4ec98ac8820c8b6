"""Routes that every origin with pages has; included at the root of each URL map."""

from __future__ import annotations

from django.urls import path

from vigil.web import views

app_name = "web"
urlpatterns = [
    path("language/", views.set_language, name="language"),
    path("csp-reports/", views.csp_report, name="csp_report"),
]
