"""What the public origin answers."""

from django.urls import include, path

from vigil.web.views import logo

urlpatterns = [
    path("", include("vigil.web.urls")),
    path("logos/<str:name>", logo, name="logo"),
    path("", include("vigil.oversight.urls_public")),
    path("", include("vigil.intake.urls")),
    path("", include("vigil.imagehelp.urls")),
    path("", include("vigil.awareness.urls")),
]
