"""What the portal for police and the answer pages for providers answer."""

from django.conf import settings
from django.urls import include, path

urlpatterns = [
    path("", include("vigil.web.urls")),
    path("", include("vigil.accounts.urls")),
    path("", include("vigil.referral.urls_partner")),
    path("", include("vigil.removal.urls_partner")),
]
if settings.VIGIL_DEMO:
    urlpatterns.append(path("demo/", include("vigil_demo.urls")))
