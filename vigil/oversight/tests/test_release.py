"""Figures: counted as the statistics role, hidden where small, frozen, public, and recounted apart."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import subprocess
import sys
from datetime import timedelta
from fractions import Fraction

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from vigil import settings as vigil_settings
from vigil.accounts.errors import ActionNotPermitted, StepUpNeeded
from vigil.core import clock
from vigil.core.ids import new_id
from vigil.core.models import Event
from vigil.lists.models import FeedRow
from vigil.oversight import cli, indicators, jobs, open_data, recount, selectors, services
from vigil.oversight.errors import ReleaseNotFound, StillBusy, TooSoon
from vigil.oversight.indicators import DAY_SECONDS, INDICATORS, Period, quantile_hours, release_values, rule_holds
from vigil.oversight.models import Figure, Release, ReleaseRequest
from vigil.oversight.tests.conftest import MONDAY, STATISTICS
from vigil.referral.models import Package

NEXT_WEEK = MONDAY + timedelta(days=30)
WHOLE = Period(MONDAY - timedelta(days=1), NEXT_WEEK)


def figures(release, code):
    return {each.cell: each for each in Figure.objects.filter(release=release, code=code)}


@pytest.fixture
def busy(country):
    """Enough of everything to be shown, and some small cells."""
    with country.owner():
        Event.objects.all().delete()
    country.reports(22)
    country.reports(14, situations=["enticement"], language="fr")
    country.reports(3, situations=["trafficking"])
    (entry,) = country.entries(1)
    with country.owner():
        FeedRow.objects.update(at=MONDAY)
        Event.objects.update(at=MONDAY)
    country.removals(country.sightings(24, entry), hours=5)
    country.sightings(10, entry, match="near")
    country.referrals(12, outcome="child_safe")
    country.referrals(11, outcome="charged", hours_to_acknowledge=30)
    return country


# ---- counting --------------------------------------------------------------------------------------------------------
def test_the_figures_are_what_was_arranged(busy):
    release = busy.release(NEXT_WEEK)

    assert figures(release, "reports.by_channel")["total"].value == 39
    assert figures(release, "reports.by_language")["fr"].value == 14
    assert figures(release, "incidents.by_situation")["total"].value == 39
    assert figures(release, "incidents.by_situation")["trafficking"].state == "few"
    assert figures(release, "entries.published")["total"].state == "few"
    assert figures(release, "entries.withdrawn")["total"].state == "none"
    assert figures(release, "sightings.by_match")["exact"].value == 24
    assert figures(release, "sightings.by_match")["near"].value == 10
    assert figures(release, "notices.sent")["total"].value == 24
    assert figures(release, "removals.by_time")["within_1_day"].value == 24
    assert figures(release, "removals.by_time")["share_1_day"].value == 100
    assert figures(release, "removals.by_time")["p90_hours"].value == 5
    assert figures(release, "referrals.sent")["total"].value == 23
    assert figures(release, "referrals.acknowledged")["within_24_hours"].value == 12
    assert figures(release, "referrals.acknowledged")["later"].value == 11
    assert figures(release, "referrals.outcomes")["charged"].state == "withheld"
    assert figures(release, "referrals.outcomes")["total"].value == 23


def test_what_happened_outside_the_period_is_not_counted(busy):
    first = busy.release(NEXT_WEEK)
    busy.reports(11, at=NEXT_WEEK)
    second = busy.release(NEXT_WEEK + timedelta(days=30))

    assert (first.period_end, second.version) == (second.period_start, 2)
    assert figures(second, "reports.by_channel")["total"].value == 11
    assert figures(second, "removals.by_time")["total"].state == "none"


def test_no_removal_is_no_data_and_never_zero_hours(country):
    country.reports(12)
    release = country.release(NEXT_WEEK)

    hours = figures(release, "removals.by_time")["p50_hours"]
    assert (hours.state, hours.value) == ("none", None)


def test_a_slow_removal_hides_the_shares_that_would_give_it_away(busy):
    (entry,) = busy.entries(1)
    busy.removals(busy.sightings(2, entry), hours=50)
    release = busy.release(NEXT_WEEK)
    removals = figures(release, "removals.by_time")

    assert removals["within_3_days"].state == "few"
    assert removals["within_1_day"].state == "withheld"
    assert removals["share_1_day"].state == "withheld"
    assert removals["share_3_days"].value == 100  # follows from what is shown
    assert removals["p50_hours"].state == "withheld"


def test_a_cell_that_nobody_foresaw_is_an_error_and_not_lost(busy, monkeypatch):
    monkeypatch.setattr("vigil.intake.selectors.reports_between", lambda since, until: [("pigeon", "en")])
    with busy.role("vigil_stats"), pytest.raises(ValueError, match="no cell"):
        indicators.count(WHOLE)


@given(seconds=st.lists(st.integers(-(10**8), 10**13).map(lambda micros: micros / 10**6), min_size=1, max_size=60))
def test_quantiles_are_what_their_words_say(seconds):
    for share in (Fraction(1, 2), Fraction(9, 10)):
        hours = quantile_hours(seconds, share)
        assert sum(value <= hours * 3600 for value in seconds) >= share * len(seconds)
        assert hours == 0 or sum(value <= (hours - 1) * 3600 for value in seconds) < share * len(seconds)


@given(counts=st.lists(st.integers(0, 60), min_size=4, max_size=4))
def test_no_release_of_removal_times_breaks_the_rule(counts):
    seconds = [0.5 * DAY_SECONDS] * counts[0] + [2 * DAY_SECONDS] * counts[1] + [5 * DAY_SECONDS] * counts[2]
    seconds += [9 * DAY_SECONDS] * counts[3]
    zero = {each.code: dict.fromkeys(indicators.counted_cells(each.code), 0) for each in INDICATORS}
    removals = dict(zip(indicators.counted_cells("removals.by_time"), counts, strict=True))
    values = release_values(indicators.Counted({**zero, "removals.by_time": removals}, tuple(seconds)))

    assert rule_holds(values)
    by_cell = {value.cell: value for value in values if value.code == "removals.by_time"}
    # Every share that is shown follows from cells that are shown: it tells nothing new.
    classes = indicators.counted_cells("removals.by_time")
    for name, inside in indicators.SHARES:
        if by_cell[name].state == "shown":
            shown = [
                all(by_cell[each].state == "shown" for each in part) for part in (classes[:inside], classes[inside:])
            ]
            assert any(shown)
    if by_cell["p50_hours"].state == "shown":
        assert all(by_cell[each].state == "shown" for each in classes) and sum(counts) >= 20


# ---- freezing ----------------------------------------------------------------------------------------------------------
def test_a_small_count_cannot_be_stored_at_all(busy):
    release = busy.release(NEXT_WEEK)
    with pytest.raises(IntegrityError, match="figure_no_small_count"), transaction.atomic():
        Figure.objects.filter(release=release, code="reports.by_channel", cell="total").update(value=7)


def test_periods_never_overlap(busy):
    release = busy.release(NEXT_WEEK)
    with pytest.raises(IntegrityError, match="release_periods_do_not_overlap"), transaction.atomic():
        Release.objects.create(
            version=9, period_start=release.period_start + timedelta(days=1), period_end=NEXT_WEEK + timedelta(days=5),
            released_at=NEXT_WEEK, released_by=new_id(), definitions="x", document={},
        )  # fmt: skip


def test_nothing_is_released_twice_for_the_same_instant(busy):
    busy.release(NEXT_WEEK)
    with pytest.raises(TooSoon):
        busy.release(NEXT_WEEK)


def test_in_production_a_release_covers_a_month(busy, settings):
    busy.release(NEXT_WEEK)
    settings.CLOCK_MAY_DRIFT = False
    with pytest.raises(TooSoon):
        busy.release(NEXT_WEEK + timedelta(days=27))


def test_a_release_says_what_each_figure_means_in_both_languages(busy):
    release = busy.release(NEXT_WEEK)

    for language in ("en", "fr"):
        meaning = release.document[language]
        assert set(meaning["indicators"]) == {each.code for each in INDICATORS}
        for texts in meaning["indicators"].values():
            assert texts["title"] and texts["definition"] and texts["numerator"] and texts["denominator"]
    english, french = (release.document[each]["indicators"] for each in ("en", "fr"))
    for code, texts in english.items():
        assert texts["definition"] != french[code]["definition"]
    for figure in Figure.objects.filter(release=release):
        assert french[figure.code]["cells"][figure.cell]


@pytest.mark.parametrize(
    ("door", "statement"),
    [
        ("vigil_stats", "UPDATE oversight_figure SET value = 12"),
        ("vigil_stats", "DELETE FROM oversight_release"),
        ("vigil_stats", "SELECT narrative FROM intake_report"),
        ("vigil_stats", "SELECT value FROM intake_reportlink"),
        ("vigil_stats", "SELECT sealed FROM referral_package"),
        ("vigil_stats", "SELECT * FROM accounts_person"),
        ("vigil_public", "SELECT released_by FROM oversight_release"),
        ("vigil_public", "SELECT * FROM oversight_releaserequest"),
        ("vigil_public", "INSERT INTO oversight_figure (id) VALUES (gen_random_uuid())"),
        ("vigil_console", "INSERT INTO oversight_release (id) VALUES (gen_random_uuid())"),
        ("vigil_console", "UPDATE oversight_releaserequest SET asked_by = asked_by"),
        ("vigil_worker", "SELECT document FROM oversight_release"),
        ("vigil_worker", "SELECT id FROM oversight_figure"),
        ("vigil_partner", "SELECT id FROM oversight_release"),
    ],
)
def test_what_the_roles_may_not_do(busy, make_person, door, statement):
    with (
        busy.role(door, make_person(roles={"auditor"})),
        pytest.raises(DatabaseError, match="permission denied"),
        transaction.atomic(),
    ):
        connection.cursor().execute(statement)


# ---- asking on the console -------------------------------------------------------------------------------------------------
def test_asking_needs_the_role_and_a_fresh_sign_in_and_happens_once(busy, make_person):
    auditor, request_id = make_person(roles={"auditor"}), new_id()
    stale = dataclasses.replace(auditor, fresh=False)
    analyst = make_person(roles={"intake_analyst"})
    with busy.role("vigil_console", auditor):
        with pytest.raises(StepUpNeeded):
            services.ask_for_release(actor=stale, request_id=request_id, at=clock.now())
        with pytest.raises(ActionNotPermitted):
            services.ask_for_release(actor=analyst, request_id=request_id, at=clock.now())
        for _ in range(2):
            services.ask_for_release(actor=auditor, request_id=request_id, at=clock.now())
    assert ReleaseRequest.objects.count() == 1


def test_what_cannot_be_released_cannot_be_asked_for(busy, make_person, settings):
    busy.release(NEXT_WEEK)
    settings.CLOCK_MAY_DRIFT = False
    auditor = make_person(roles={"auditor"})
    with busy.role("vigil_console", auditor), pytest.raises(TooSoon):
        services.ask_for_release(actor=auditor, request_id=new_id(), at=NEXT_WEEK + timedelta(days=3))
    assert not ReleaseRequest.objects.exists()


def test_a_request_is_answered_by_one_release_however_often_the_job_runs(busy, make_person):
    auditor, request_id = make_person(roles={"auditor"}), new_id()
    with busy.role("vigil_console", auditor):
        services.ask_for_release(actor=auditor, request_id=request_id, at=MONDAY)
    out = Console(file=io.StringIO(), width=200)

    with busy.role("vigil_stats"):
        assert cli.run_asked(out) == 0
        assert cli.run_asked(out) == 0

    release = Release.objects.get()
    assert (release.request_id, release.released_by) == (request_id, auditor.id)


def test_a_release_waits_for_reports_that_the_worker_has_not_opened_yet(busy):
    from vigil.casework.tests.factories import make_report

    with busy.owner():
        make_report(at=MONDAY)
    out = io.StringIO()
    with busy.role("vigil_stats"):
        assert recount.reports_without_incident(NEXT_WEEK) == 1
        with pytest.raises(StillBusy):
            services.wait_until_settled(
                until=NEXT_WEEK, timeout_seconds=0.1, pending=[recount.reports_without_incident]
            )
    assert not Release.objects.exists() and not out.getvalue()


def test_the_worker_starts_one_statistics_process_when_somebody_waits(busy, make_person):
    """A child stands in for the statistics process, which would look at the real database: when it is started is the point."""
    started = []

    class Children(jobs.StatisticsProcess):
        def start(self):
            started.append(subprocess.Popen([sys.executable, "-c", f"import sys; sys.exit({len(started) == 0:d})"]))
            return started[-1]

    statistics, auditor = Children(), make_person(roles={"auditor"})
    with busy.role("vigil_worker"):
        statistics.tend(NEXT_WEEK)
    assert not started
    with busy.role("vigil_console", auditor):
        services.ask_for_release(actor=auditor, request_id=new_id(), at=MONDAY)
    with busy.role("vigil_worker"):
        statistics.tend(NEXT_WEEK)
        started[0].wait()
        statistics.tend(NEXT_WEEK)  # it failed: not again at once
        assert len(started) == 1
        statistics.tend(NEXT_WEEK + jobs.RETRY_AFTER)
        assert len(started) == 2
        started[1].wait()
    busy.release(NEXT_WEEK)
    with busy.role("vigil_worker"):
        statistics.tend(NEXT_WEEK + 2 * jobs.RETRY_AFTER)
    assert len(started) == 2


def test_the_statistics_process_has_a_role_that_may_write_releases():
    compile(jobs._COMMAND, "command", "exec")
    assert vigil_settings.ROLE_OF_PROCESS["stats"] == "vigil_stats"


# ---- recount ---------------------------------------------------------------------------------------------------------------
def run_recount(country):
    text = io.StringIO()
    with country.role("vigil_stats"):
        code = cli.run_recount(Console(file=text, width=200))
    return code, text.getvalue()


def test_a_recount_agrees(busy):
    busy.release(NEXT_WEEK)
    busy.reports(5, at=NEXT_WEEK)
    busy.release(NEXT_WEEK + timedelta(days=30))

    assert run_recount(busy) == (0, "2 release(s) recounted: every figure agrees\n")


def test_a_recount_finds_a_planted_figure(busy):
    release = busy.release(NEXT_WEEK)
    with busy.owner():
        Figure.objects.filter(release=release, code="notices.sent").update(value=99)

    code, text = run_recount(busy)
    assert code == 1
    assert "notices.sent" in text and "99" in text and "24" in text


def test_a_recount_finds_a_row_that_came_or_went(busy):
    busy.release(NEXT_WEEK)
    with busy.owner():
        Package.objects.filter(sent_at=MONDAY).first().outcomes.all().delete()
    code, text = run_recount(busy)
    assert code == 1 and "referrals.outcomes" in text


def test_a_recount_finds_an_indicator_that_counts_wrongly(busy, monkeypatch):
    busy.release(NEXT_WEEK)
    monkeypatch.setattr("vigil.referral.selectors.counts_between", lambda since, until: {"referrals_sent": 24})

    code, text = run_recount(busy)
    assert code == 1 and "referrals.sent" in text


def test_a_recount_that_compared_nothing_does_not_say_that_all_agrees(country):
    assert run_recount(country)[0] == 2


def test_every_indicator_has_a_recount_of_its_own():
    assert set(recount.QUERIES) == {each.code for each in INDICATORS}


# ---- the public's side -----------------------------------------------------------------------------------------------------
@pytest.fixture
def page(client, settings):
    """GET at the public origin, under its database role, with French or English from the address."""
    from conftest import as_role

    def get(path):
        with as_role("vigil_public"):
            return client.get(path, headers={"host": settings.HOST_OF_ORIGIN["public"]})

    return get


def test_before_the_first_release_the_page_says_so(db, page):
    english, french = page("/en/figures"), page("/fr/chiffres")

    assert english.status_code == french.status_code == 200
    assert "No figures have been released yet" in english.content.decode()
    assert "Aucun chiffre n’a encore été publié" in french.content.decode()


def test_both_pages_show_the_same_figures(busy, page):
    busy.release(NEXT_WEEK)

    english, french = page("/en/figures").content.decode(), page("/fr/chiffres").content.decode()

    assert english.count("<h2") == french.count("<h2") and english.count("<td") == french.count("<td")
    assert "fewer than 10" in english and "moins de 10" in french
    assert "No data for this period" in english and "Aucune donnée pour cette période" in french
    assert "100%" in english and "100\u00a0%" in french.replace("&nbsp;", "\u00a0")
    assert 'href="/fr/chiffres"' in english and 'href="/en/figures"' in french


def test_the_page_is_light_and_names_no_other_host(busy, page):
    busy.release(NEXT_WEEK)
    body = page("/en/figures").content

    assert len(body) < 60_000
    assert b"http://" not in body and b"https://" not in body and b"style=" not in body


def test_figures_that_cannot_be_loaded_are_never_zero(busy, page, monkeypatch):
    busy.release(NEXT_WEEK)

    def away(version=None):
        raise DatabaseError("away")

    monkeypatch.setattr(selectors, "release", away)
    answer = page("/en/figures")

    assert answer.status_code == 503
    assert "could not be loaded" in answer.content.decode() and "<td" not in answer.content.decode()


def test_an_unknown_release_is_not_found(busy, page):
    busy.release(NEXT_WEEK)
    assert page("/en/figures/7").status_code == 404
    assert page("/fr/chiffres/1").status_code == 200


def test_the_files_say_what_the_page_says(busy, page):
    release = busy.release(NEXT_WEEK)
    table = list(csv.DictReader(io.StringIO(page("/figures.csv").content.decode("utf-8-sig"))))
    document = json.loads(page("/figures.json").content)

    assert len(table) == len(document["figures"]) == Figure.objects.filter(release=release).count()
    for row, figure in zip(table, document["figures"], strict=True):
        assert (row["code"], row["cell"], row["state"]) == (figure["code"], figure["cell"], figure["state"])
        assert row["value"] == ("" if figure["value"] is None else str(figure["value"]))
        assert row["title_en"] != row["title_fr"]
    columns = {
        row["column"]
        for row in csv.DictReader(io.StringIO(page("/figures-dictionary.csv").content.decode("utf-8-sig")))
    }
    assert columns == set(table[0]) == set(open_data.COLUMNS)


def test_a_file_of_nothing_is_not_found(db, page):
    assert page("/figures.csv").status_code == 404
    with pytest.raises(ReleaseNotFound):
        selectors.release()


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx"])
def test_no_cell_of_a_csv_is_a_formula(text):
    assert open_data._cell(text) == f"'{text}"
    assert open_data._cell(-1) == -1


def test_a_release_records_itself(busy, audit_rows):
    release = busy.release(NEXT_WEEK)
    (row,) = audit_rows(release.id)
    assert (row["action"], row["actor"]) == ("statistics.released", str(STATISTICS.id))
