"""The worker's door: packages that were asked for are built and sent."""

from __future__ import annotations

from datetime import datetime

from vigil.core import clock
from vigil.core.events import Event, every_tick, on
from vigil.referral import services
from vigil.referral.models import Package

PACKAGES_A_TICK = 4


@on("referral.asked")
def build_asked_package(event: Event) -> None:
    """Build and send the package at once; when that fails, the tick tries again."""
    services.try_to_build(package_id=event.subject_id, at=clock.now())


@every_tick
def build_waiting_packages(now: datetime) -> None:
    """Try again what could not be built: the key process was away, the disk was full."""
    waiting = Package.objects.filter(state="draft", next_try_at__lte=now).order_by("next_try_at")
    for package_id in list(waiting.values_list("id", flat=True)[:PACKAGES_A_TICK]):
        services.try_to_build(package_id=package_id, at=now)
