"""What the demonstration shows in the terminal."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.table import Table

from vigil import settings
from vigil_demo.staff import PEOPLE, make_link


class Progress:
    """One line for each link of the chain, as it is played."""

    def __init__(self, *, quiet: bool) -> None:
        self._console = Console(stderr=True, quiet=quiet)
        self._status = self._console.status("Starting")

    def __enter__(self) -> Progress:
        self._console.print(
            "[bold]Vigil demonstration.[/] All of it stays on this machine; the pictures are landscapes and shapes."
        )
        self._status.start()
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _value: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._status.stop()

    def doing(self, what: str) -> None:
        """Say what happens now."""
        self._status.update(what)

    def done(self, link: str, *, ok: bool, number: str = "", note: str = "") -> None:
        """One link of the chain is played."""
        mark = "[green]done  [/]" if ok else "[red]FAILED[/]"
        self._console.print(f"{mark} {link:<11} {number:<13} {note}", highlight=False)


def print_what_to_try() -> None:
    """The few links and sign-ins to try."""
    from vigil.core import clock

    console = Console(width=120)
    console.print("\n[bold]The site is running.[/] Open it in a browser on this machine; Ctrl-C here ends all of it.")
    pages = Table(show_header=False, box=None)
    pages.add_row("Report something", f"{settings.origin_url('public')}/en/   {settings.origin_url('public')}/fr/")
    pages.add_row("Public figures", f"{settings.origin_url('public')}/en/figures")
    console.print(pages)
    people = Table("Sign in once as", "with this link", box=None)
    for person in PEOPLE:
        people.add_row(person.name, settings.origin_url(person.origin) + make_link(person.key, clock.now()))
    console.print(people, soft_wrap=True)
    console.print(f"Mails that providers received are in {settings.VAR / 'mail'}")
