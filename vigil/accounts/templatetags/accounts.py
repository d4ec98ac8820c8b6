"""What a page asks about the person before it offers them a way somewhere. The page behind it decides anew."""

from __future__ import annotations

from typing import Any

from django import template

from vigil.accounts.policies import Action, permit

register = template.Library()


@register.filter
def may(actor: Any, action: Action) -> bool:
    """`{% if request.actor|may:"entry.view" %}`: whether this person's roles reach the action at all. Nobody may nothing."""
    return bool(actor) and permit(actor, action)
