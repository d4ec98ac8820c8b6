"""Routes of image help at the console."""

from __future__ import annotations

from django.urls import path

from vigil.imagehelp import staff_views

app_name = "imagehelp_staff"
urlpatterns = [
    path("image-help/", staff_views.cases, name="cases"),
    path("image-help/<str:number>/", staff_views.case, name="case"),
    path("image-help/<str:number>/set-aside/", staff_views.set_aside, name="set_aside"),
]
