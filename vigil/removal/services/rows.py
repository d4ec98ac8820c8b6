"""Shared by the commands: the locked row, and the process that acts."""

from __future__ import annotations

from uuid import UUID

from vigil.core.actors import process_actor
from vigil.removal.errors import NoticeNotFound
from vigil.removal.models import Notice

WORKER = process_actor("worker")


def lock_notice(notice_id: UUID) -> Notice:
    """The notice, locked until the transaction ends. Raises NoticeNotFound."""
    notice = Notice.objects.select_for_update().filter(id=notice_id).first()
    if notice is None:
        raise NoticeNotFound(notice_id)
    return notice
