"""Routes of this room at the origin for protocols."""

from django.urls import path

from vigil.matching.api import api

urlpatterns = [path("v1/", api.urls)]
