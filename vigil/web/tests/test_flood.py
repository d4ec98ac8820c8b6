"""A flood is held back by network and by work; a person is not, and no address stays in the request."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from vigil.core.limiter import TryLimiter, WindowLimiter
from vigil.web.flood import (
    DIFFICULTY,
    NETWORK_WINDOW,
    WAIT,
    WAITERS,
    Floodgate,
    FloodMiddleware,
    is_solved,
    network_of,
    new_ticket,
)

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def solve(ticket: str) -> str:
    return next(str(number) for number in range(2**22) if is_solved(ticket, str(number)))


def asked_from(address: str, **headers: str) -> HttpRequest:
    return RequestFactory(headers=headers).get("/en/", REMOTE_ADDR=address)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("203.0.113.200", "203.0.113.0/24"),
        ("::ffff:203.0.113.9", "203.0.113.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1::/48"),
        ("127.0.0.1", ""),
        ("::1", ""),
        ("not an address", ""),
        ("", ""),
    ],
)
def test_a_network_is_told_from_an_address_and_the_address_goes(address, network):
    request = asked_from(address, **{"x-forwarded-for": "198.51.100.1", "x-real-ip": "198.51.100.2"})
    assert network_of(request) == network
    left = " ".join(str(value) for value in request.META.values())
    assert "198.51.100" not in left
    assert not address or address not in left


def test_the_field_that_the_proxy_sets_counts_and_the_proxys_own_address_does_not(settings):
    settings.CLIENT_ADDRESS_HEADER = "X-Client-Address"
    request = asked_from("127.0.0.1", **{"x-client-address": "198.51.100.7"})
    assert network_of(request) == "198.51.100.0/24"
    assert "HTTP_X_CLIENT_ADDRESS" not in request.META
    assert network_of(asked_from("203.0.113.77")) == ""


def test_one_network_that_sends_too_much_is_held_back_alone(settings):
    settings.FORMS_PER_NETWORK = 3
    gate = Floodgate()
    assert [gate.may_pass("203.0.113.0/24", begins=True, at=NOW) for _ in range(5)] == [True] * 3 + [False] * 2
    assert gate.may_pass("198.51.100.0/24", begins=True, at=NOW)
    assert gate.may_pass("", begins=True, at=NOW)
    assert gate.may_pass("203.0.113.0/24", begins=True, at=NOW + NETWORK_WINDOW)


def test_while_the_whole_site_is_flooded_only_what_begins_is_held_back(settings):
    settings.FORMS_BEFORE_FLOOD = 10
    gate = Floodgate()
    for index in range(10):
        assert gate.may_pass(f"10.0.{index}.0/24", begins=True, at=NOW)
    assert not gate.may_pass("10.1.0.0/24", begins=True, at=NOW)
    assert gate.may_pass("10.1.0.0/24", begins=False, at=NOW)
    assert gate.may_pass("10.1.0.0/24", begins=True, at=NOW + timedelta(minutes=2))


def test_a_ticket_is_good_by_work_once():
    gate, ticket = Floodgate(), new_ticket(at=NOW)
    work = solve(ticket)
    assert not gate.accepts(ticket, "", "n", at=NOW)
    assert not gate.accepts(ticket, str(int(work) + 1), "n", at=NOW) or is_solved(ticket, str(int(work) + 1))
    assert gate.accepts(ticket, work, "n", at=NOW)
    assert not gate.accepts(ticket, work, "n", at=NOW)


def test_a_ticket_is_good_by_waiting_but_not_for_many_at_once():
    gate = Floodgate()
    tickets = [new_ticket(at=NOW) for _ in range(WAITERS + 1)]
    assert not gate.accepts(tickets[0], "", "n", at=NOW + WAIT - timedelta(seconds=1))
    waited = [gate.accepts(ticket, "", "n", at=NOW + WAIT) for ticket in tickets]
    assert waited == [True] * WAITERS + [False]


@pytest.mark.parametrize("ticket", ["", "x", "a:b:c", new_ticket.__name__])
def test_a_ticket_that_was_not_given_here_is_worth_nothing(ticket):
    assert not Floodgate().accepts(ticket, "0", "n", at=NOW + WAIT)


def test_an_old_ticket_is_worth_nothing():
    ticket = new_ticket(at=NOW)
    assert not Floodgate().accepts(ticket, solve(ticket), "n", at=NOW + timedelta(hours=1))


@given(st.text(max_size=30))
def test_a_solution_is_a_short_plain_text(solution):
    if not solution.isascii() or not 0 < len(solution) <= 20:
        assert not is_solved("ticket", solution)


def test_the_work_is_bounded():
    assert 10 <= DIFFICULTY <= 18


def test_what_was_typed_stays_on_the_page_and_goes_on_with_the_work_done(settings):
    settings.FORMS_PER_NETWORK = 1
    taken: list[str] = []

    def take(request: HttpRequest) -> HttpResponse:
        taken.append(request.POST["narrative"])
        return HttpResponse("taken")

    middleware = FloodMiddleware(lambda request: HttpResponse("never"))

    def send(**fields: str) -> HttpResponse:
        request = RequestFactory(headers={"host": "report.localhost"}).post(
            "/en/status", {"narrative": 'été "quoted" <b>', **fields}, REMOTE_ADDR="203.0.113.5"
        )
        middleware(request)
        return middleware.process_view(request, take, (), {}) or take(request)

    assert send().content == b"taken"
    held = send()
    assert held.status_code == 429 and held["Retry-After"] == str(int(WAIT.total_seconds()))
    page = held.content.decode()
    assert 'name="narrative" value="été &quot;quoted&quot; &lt;b&gt;"' in page
    ticket = page.split('name="moment" value="')[1].split('"')[0]
    assert send(moment=ticket, moment_work=solve(ticket)).content == b"taken"
    assert send(moment=ticket, moment_work=solve(ticket)).status_code == 429
    assert taken == ['été "quoted" <b>'] * 2


def test_a_limiter_counts_inside_its_window_and_names_nobody():
    limiter = WindowLimiter(2, timedelta(minutes=1), most_keys=4)
    for _ in range(3):
        limiter.count("203.0.113.0/24", at=NOW)
    assert not limiter.may("203.0.113.0/24", at=NOW)
    assert limiter.may("203.0.113.0/24", at=NOW + timedelta(minutes=1))
    assert "203" not in repr(vars(limiter))
    for index in range(50):
        limiter.count(str(index), at=NOW + timedelta(seconds=index))
    assert len(limiter._seen) <= 4


def test_five_wrong_tries_of_one_number():
    limiter = TryLimiter()
    for _ in range(5):
        assert limiter.may_try("A", at=NOW)
        limiter.count_wrong("A", at=NOW)
    assert not limiter.may_try("A", at=NOW + timedelta(minutes=14))
    assert limiter.may_try("B", at=NOW)
    assert limiter.may_try("A", at=NOW + timedelta(minutes=15))
