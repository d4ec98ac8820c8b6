"""The console's map with this room's pages: a test here does not depend on the rooms beside it."""

from django.urls import include, path

urlpatterns = [
    path("", include("vigil.web.urls")),
    path("", include("vigil.accounts.urls")),
    path("", include("vigil.removal.urls")),
]
