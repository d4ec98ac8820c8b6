"""The partner origin's map with this room's pages."""

from django.urls import include, path

urlpatterns = [
    path("", include("vigil.web.urls")),
    path("", include("vigil.accounts.urls")),
    path("", include("vigil.removal.urls_partner")),
]
