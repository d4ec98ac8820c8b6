"""What the staff console answers."""

from django.conf import settings
from django.urls import include, path

urlpatterns = [
    path("", include("vigil.web.urls")),
    path("", include("vigil.accounts.urls")),
    path("", include("vigil.casework.urls")),
    path("", include("vigil.intake.urls_console")),
    path("", include("vigil.crawl.urls")),
    path("", include("vigil.imagehelp.urls_console")),
    path("", include("vigil.removal.urls")),
    path("", include("vigil.referral.urls")),
    path("", include("vigil.oversight.urls")),
]
if settings.VIGIL_DEMO:
    urlpatterns.append(path("demo/", include("vigil_demo.urls")))
