"""Routes of this room at the partner origin: what officers see."""

from __future__ import annotations

from django.urls import path

from vigil.referral import partner_views as views

app_name = "partner"
urlpatterns = [
    path("", views.home, name="home"),
    path("inbox/", views.inbox, name="inbox"),
    path("inbox/<uuid:package_id>/", views.package, name="package"),
    path("inbox/<uuid:package_id>/acknowledge", views.acknowledge, name="acknowledge"),
    path("inbox/<uuid:package_id>/outcome", views.outcome, name="outcome"),
    path("inbox/<uuid:package_id>/package.zip", views.download, name="download"),
]
