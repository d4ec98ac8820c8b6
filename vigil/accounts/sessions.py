"""Sessions whose table is useless to a thief: the key is stored as its SHA-256, the data are sealed under the key itself.

Idle end after 15 minutes, absolute end after 10 hours. Rows carry their person, so ending a person's sessions is one statement.
"""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode, b64encode
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth import SESSION_KEY as PERSON_KEY
from django.contrib.sessions.backends.base import CreateError, UpdateError
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.db import DatabaseError, IntegrityError, router, transaction
from django.utils import timezone
from typing_extensions import override

from vigil.accounts import signin_settings
from vigil.core import crypto
from vigil.core.errors import VigilError

_BEGUN_KEY = "_begun"


def digest(session_key: str) -> str:
    """What stands in the table for a cookie's value."""
    return hashlib.sha256(session_key.encode()).hexdigest()


class SessionStore(DatabaseStore):
    """Django's database sessions with hashed keys, sealed data and an absolute end. Synchronous only."""

    @classmethod
    @override
    def get_model_class(cls) -> Any:
        from vigil.accounts.models import Session

        return Session

    def _key_of_data(self) -> bytes:
        return crypto.derive(str(self.session_key).encode(), purpose="vigil session data")

    @override
    def encode(self, session_dict: dict[str, Any]) -> str:
        plain = json.dumps(session_dict, separators=(",", ":"), default=str).encode()
        return b64encode(crypto.encrypt(self._key_of_data(), plain, context="accounts_session")).decode()

    @override
    def decode(self, session_data: bytes | str) -> dict[str, Any]:
        try:
            return dict(
                json.loads(crypto.decrypt(self._key_of_data(), b64decode(session_data), context="accounts_session"))
            )
        except (VigilError, ValueError):
            return {}

    def _get_session_from_db(self) -> Any:
        now = timezone.now()
        row = (
            self.get_model_class()
            .objects.filter(session_key=digest(str(self.session_key)), expire_date__gt=now, ends_at__gt=now)
            .first()
        )
        if row is None:
            self._session_key = None
        return row

    @override
    def exists(self, session_key: str) -> bool:
        return self.model.objects.filter(session_key=digest(session_key)).exists()

    @override
    def create_model_instance(self, data: dict[str, Any]) -> Any:
        begun_at = timezone.now()
        if isinstance(data.get(_BEGUN_KEY), int | float):
            begun_at = begun_at.fromtimestamp(data[_BEGUN_KEY], tz=begun_at.tzinfo)
        data[_BEGUN_KEY] = begun_at.timestamp()
        person = data.get(PERSON_KEY)
        # The key must exist before the data are sealed under it.
        key: str = self._get_or_create_session_key()  # type: ignore[attr-defined]
        self._session_key = key
        return self.get_model_class()(
            session_key=digest(key),
            session_data=self.encode(data),
            expire_date=self.get_expiry_date(),
            person_id=UUID(str(person)) if person else None,
            begun_at=begun_at,
            ends_at=begun_at + timedelta(seconds=signin_settings.SESSION_ABSOLUTE_SECONDS),
        )

    @override
    def save(self, must_create: bool = False) -> None:
        if self.session_key is None:
            return self.create()
        data = self._get_session(no_load=must_create)  # type: ignore[attr-defined]
        row = self.create_model_instance(data)
        using = router.db_for_write(self.model, instance=row)
        try:
            with transaction.atomic(using=using):
                row.save(force_insert=must_create, force_update=not must_create, using=using)
        except IntegrityError as exc:
            if must_create:
                raise CreateError from exc
            raise
        except DatabaseError as exc:
            if not must_create:
                raise UpdateError from exc
            raise
        return None

    @override
    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key:
            self.model.objects.filter(session_key=digest(key)).delete()

    @classmethod
    @override
    def clear_expired(cls) -> None:
        now = timezone.now()
        cls.get_model_class().objects.filter(expire_date__lt=now).delete()
        cls.get_model_class().objects.filter(ends_at__lt=now).delete()

    # The parent's asynchronous twins would look for a row under the cookie itself: they fail loudly instead.
    async def _aget_session_from_db(self) -> Any:
        raise NotImplementedError("sessions are synchronous")

    @override
    async def aexists(self, session_key: str) -> bool:
        raise NotImplementedError("sessions are synchronous")

    @override
    async def acreate_model_instance(self, data: dict[str, Any]) -> Any:
        raise NotImplementedError("sessions are synchronous")

    @override
    async def adelete(self, session_key: str | None = None) -> None:
        raise NotImplementedError("sessions are synchronous")
