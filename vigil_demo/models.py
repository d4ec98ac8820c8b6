"""The one-use sign-in links of the demonstration: this table exists nowhere else."""

from __future__ import annotations

from django.db import models


class SignInLink(models.Model):
    """A link that signs one synthetic person in, once. Only the SHA-256 of its token is kept."""

    token_hash = models.BinaryField(max_length=32, primary_key=True)
    person = models.ForeignKey("accounts.Person", on_delete=models.CASCADE)
    made_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
