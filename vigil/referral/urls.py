"""Routes of this room at the console."""

from __future__ import annotations

from django.urls import path

from vigil.referral import views

app_name = "referral"
urlpatterns = [
    path("referrals/", views.packages, name="packages"),
    path("referrals/<uuid:package_id>/", views.package, name="package"),
    path("referrals/<uuid:package_id>/package.zip", views.download, name="download"),
    path("cases/<str:number>/refer/", views.compose, name="compose"),
]
