"""The door that the web server (granian) opens; VIGIL_PROCESS says which origin it is."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vigil.settings")

application = get_wsgi_application()
