"""Routes of this room at the origin for protocols: reports of partners."""

from django.urls import path

from vigil.intake.api import api

urlpatterns = [path("v1/", api.urls)]
