"""Every route, for commands and tests that reverse names; no process serves this map."""

from importlib import import_module

urlpatterns = [
    pattern
    for origin in ("public", "console", "partner", "wire")
    for pattern in import_module(f"vigil.urls.{origin}").urlpatterns
]
