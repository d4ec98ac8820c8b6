"""What the public origin answers."""

from django.urls import include, path

urlpatterns = [
    path("", include("vigil.web.urls")),
    path("", include("vigil.oversight.urls_public")),
    path("", include("vigil.intake.urls")),
    path("", include("vigil.awareness.urls")),
]
