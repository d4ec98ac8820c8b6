"""Routes of this room at the public origin: one address a page and language, as its file says."""

from __future__ import annotations

from django.urls import URLPattern, path

from vigil.awareness import views
from vigil.awareness.pages import all_pages

app_name = "awareness"

urlpatterns: list[URLPattern] = [
    path(".well-known/security.txt", views.security_txt, name="security_txt"),
]
urlpatterns += [
    path(f"{language}/{text.path}", views.page, {"code": page.code}, name=f"{page.code}-{language}")
    for page in all_pages().values()
    for language, text in page.texts.items()
]
