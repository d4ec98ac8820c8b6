"""The demonstration's own door: a one-use sign-in link for each synthetic person."""

from __future__ import annotations

import hashlib

from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from vigil.accounts.services import begin_session
from vigil.core import clock
from vigil_demo.models import SignInLink


@login_not_required
def sign_in(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows a button (so that a preview of the link uses nothing up); POST signs in, once."""
    digest = hashlib.sha256(token.encode()).digest()
    if request.method != "POST":
        link = SignInLink.objects.filter(token_hash=digest, used_at=None).select_related("person").first()
        return render(request, "vigil_demo/sign_in.html", {"link": link}, status=200 if link else 404)
    with transaction.atomic():
        used = SignInLink.objects.filter(token_hash=digest, used_at=None).update(used_at=clock.now())
        if not used:
            return render(request, "vigil_demo/sign_in.html", {"link": None}, status=404)
        begin_session(request, SignInLink.objects.select_related("person").get(token_hash=digest).person)
    return HttpResponseRedirect("/", status=303)
