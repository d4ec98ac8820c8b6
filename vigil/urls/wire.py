"""What the origin for protocols answers."""

from django.urls import include, path

urlpatterns = [path("", include("vigil.matching.urls")), path("", include("vigil.intake.urls_wire"))]
