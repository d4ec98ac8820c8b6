"""What the origin for protocols answers."""

from django.urls import include, path

urlpatterns = [path("", include("vigil.matching.urls"))]
