"""Routes of this room (console)."""

from __future__ import annotations

from django.urls import path

from vigil.crawl import views

app_name = "crawl"
urlpatterns = [
    path("sightings/", views.sightings, name="sightings"),
    path("sightings/<str:number>/", views.sighting, name="sighting"),
    path("sightings/<str:number>/confirm/", views.confirm, name="confirm"),
    path("sightings/<str:number>/reject/", views.reject, name="reject"),
]
