"""Tickers over time: one instrument one series, one ticker one holder on any date."""

import subprocess
import sys
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chandlery.errors import ChandleryError, Conflict, InvalidInput, NotFound
from chandlery.market.symbols import AssetClass
from chandlery.store.coverage import TickerSpan, ticker_spans
from chandlery.store.tickers import delist_instrument, holder_on, last_holder, rename_instrument, set_tickers
from chandlery.store.universe import InstrumentFacts, register_instrument
from chandlery.store.warehouse import Warehouse, Writer

Ask = Callable[..., list[tuple[Any, ...]]]

META_DAY = date(2022, 6, 9)


def register(connection: Writer, symbol: str, **facts: Any) -> int:
    return register_instrument(
        connection,
        symbol=symbol,
        asset_class=AssetClass.STOCKS,
        calendar="NYSE",
        name=f"{symbol} Inc.",
        source="massive",
        facts=InstrumentFacts(**facts),
    ).instrument_id


def rename(connection: Writer, old: str, new: str, on: date) -> int:
    return rename_instrument(connection, old, new, on=on, source="massive")


def test_renamed_instrument_is_one_under_either_ticker(fresh: Warehouse) -> None:
    with fresh.write() as connection:
        number = register(connection, "FB", listed_on=date(2012, 5, 18))
        assert rename(connection, "FB", "META", META_DAY) == number
        assert holder_on(connection, "FB", date(2022, 6, 8)) == number
        assert holder_on(connection, "FB", META_DAY) is None
        assert holder_on(connection, "META", date(2022, 6, 8)) is None
        assert holder_on(connection, "META", META_DAY) == holder_on(connection, "META", None) == number
        assert holder_on(connection, "FB", date(2012, 5, 17)) is None
        assert last_holder(connection, "FB") == number
        assert register(connection, "META") == number


def test_rename_repeated_changes_nothing(fresh: Warehouse, ask: Ask) -> None:
    for _ in range(2):
        with fresh.write() as connection:
            register(connection, "XYZ" if _ else "SQ")
            rename(connection, "SQ", "XYZ", date(2025, 1, 21))
    rows = ask(fresh, "select ticker, valid_to::text from ops.instrument_tickers order by valid_from")
    assert rows == [("SQ", "2025-01-21"), ("XYZ", None)]


def test_former_ticker_can_be_told_later(fresh: Warehouse) -> None:
    with fresh.write() as connection:
        number = register(connection, "META")
        rename(connection, "FB", "META", META_DAY)
        assert [span.ticker for span in ticker_spans(connection, number)] == ["FB", "META"]
        assert holder_on(connection, "FB", date(2020, 1, 2)) == number


def test_ticker_of_another_on_that_day_is_a_conflict_that_names_it(fresh: Warehouse) -> None:
    with fresh.write() as connection:
        register(connection, "FB")
        register(connection, "META", listed_on=date(2021, 6, 30))
        with pytest.raises(
            Conflict, match=r"META was wanted from 2022-06-09, but instrument 2 \(META Inc\.\).*2021-06-30"
        ):
            rename(connection, "FB", "META", META_DAY)


def test_ticker_given_up_before_is_free(fresh: Warehouse) -> None:
    with fresh.write() as connection:
        facebook = register(connection, "FB")
        fund = register(connection, "META", listed_on=date(2021, 6, 30))
        rename(connection, "META", "METV", date(2022, 1, 31))
        rename(connection, "FB", "META", META_DAY)
        assert holder_on(connection, "META", date(2021, 12, 1)) == fund
        assert holder_on(connection, "META", date(2022, 3, 1)) is None
        assert holder_on(connection, "META", date(2023, 1, 3)) == facebook


def test_reused_ticker_is_a_new_instrument_that_inherits_nothing(fresh: Warehouse, ask: Ask) -> None:
    with fresh.write() as connection:
        former = register(connection, "T", composite_figi="BBG000000001")
        delist_instrument(connection, "T", on=date(2005, 12, 1))
        present = register(connection, "T")
        assert present != former
        assert ticker_spans(connection, present) == (TickerSpan("T", date(2005, 12, 1), None),)
        assert holder_on(connection, "T", date(2005, 11, 30)) == former
        assert holder_on(connection, "T", date(2005, 12, 1)) == present
    rows = ask(fresh, "select delisted_on::text, composite_figi from ops.instruments order by instrument_id")
    assert rows == [("2005-12-01", "BBG000000001"), (None, None)]


def test_dead_instrument_registers_for_its_days_and_once(fresh: Warehouse) -> None:
    with fresh.write() as connection:
        facts = {"listed_on": date(2013, 11, 7), "delisted_on": date(2022, 10, 28)}
        dead = register(connection, "TWTR", **facts)
        assert ticker_spans(connection, dead) == (TickerSpan("TWTR", date(2013, 11, 7), date(2022, 10, 28)),)
        assert register(connection, "TWTR", **facts) == dead
        assert register(connection, "TWTR") != dead


def test_dead_instrument_does_not_take_the_days_of_one_that_is_listed(fresh: Warehouse) -> None:
    with fresh.write() as connection:
        register(connection, "T")
        with pytest.raises(Conflict, match="instrument 1"):
            register(connection, "T", delisted_on=date(2005, 12, 1))
        assert holder_on(connection, "T", None) == 1


def test_what_cannot_be_is_refused(fresh: Warehouse) -> None:
    with fresh.write() as connection:
        register(connection, "FB", listed_on=date(2012, 5, 18))
        with pytest.raises(NotFound, match="no instrument holds either"):
            rename(connection, "AAA", "BBB", META_DAY)
        with pytest.raises(InvalidInput, match="since 2012-05-18 only"):
            rename(connection, "FB", "META", date(2012, 5, 18))
        with pytest.raises(InvalidInput, match="to itself"):
            rename(connection, "FB", "FB", META_DAY)
        with pytest.raises(InvalidInput, match="since 2012-05-18 only"):
            delist_instrument(connection, "FB", on=date(2012, 5, 18))
        with pytest.raises(NotFound, match="to be delisted"):
            delist_instrument(connection, "META", on=META_DAY)
        rename(connection, "FB", "META", META_DAY)
        with pytest.raises(InvalidInput, match="had FB before"):
            rename(connection, "ABC", "META", date(2023, 1, 3))


def test_source_of_a_span_is_who_told_it_first(fresh: Warehouse, ask: Ask) -> None:
    with fresh.write() as connection:
        number = register(connection, "FB")
        spans = [TickerSpan("FB", date(1900, 1, 1), META_DAY), TickerSpan("META", META_DAY, None)]
        set_tickers(connection, number, spans, source="person")
    rows = ask(fresh, "select ticker, source from ops.instrument_tickers order by valid_from")
    assert rows == [("FB", "massive"), ("META", "person")]


_RENAMER = """
import sys
from datetime import date
from chandlery.settings import load_settings
from chandlery.errors import Conflict
from chandlery.store.tickers import rename_instrument
from chandlery.store.warehouse import open_warehouse
warehouse = open_warehouse(load_settings())
sys.stdin.readline()
for round in range(12):
    try:
        with warehouse.write() as connection:
            rename_instrument(connection, f"{sys.argv[1]}{round}", f"NEW{round}", on=date(2022, 6, 9), source="person")
    except Conflict:
        sys.stdout.write("conflict ")
    else:
        sys.stdout.write("renamed ")
"""


def test_two_processes_that_want_one_ticker_do_not_both_get_it(fresh: Warehouse, ask: Ask, tmp_path: Any) -> None:
    place = fresh.database
    environment = {
        "CHANDLERY_PROFILE": "server",
        "CHANDLERY_DATABASE__HOST": place.host,
        "CHANDLERY_DATABASE__PORT": str(place.port),
        "CHANDLERY_DATABASE__NAME": place.name,
        "CHANDLERY_DATABASE__USER": place.user,
        "CHANDLERY_DATABASE__PASSWORD": place.password.get_secret_value(),
    }
    with fresh.write() as connection:
        for side in ("A", "B"):
            for place_ in range(12):
                register(connection, f"{side}{place_}")
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _RENAMER, side],
            env=environment,
            cwd=tmp_path,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for side in ("A", "B")
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    said = [process.communicate(timeout=120)[0].split() for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    for one, other in zip(*said, strict=True):
        assert {one, other} == {"renamed", "conflict"}
    holders = ask(fresh, "select ticker, count(*) from ops.instrument_tickers where valid_to is null group by 1")
    assert all(count == 1 for _, count in holders)
    assert sum(ticker.startswith("NEW") for ticker, _ in holders) == 12


NAMES = st.sampled_from(["A", "B", "C"])
DAYS = st.integers(1, 400).map(lambda offset: date.fromordinal(date(2020, 1, 1).toordinal() + offset))
ACTS = st.lists(st.tuples(st.sampled_from(["register", "rename", "delist"]), NAMES, NAMES, DAYS), max_size=12)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ACTS)
def test_whatever_happens_a_ticker_has_one_holder_and_a_holder_one_ticker(
    warehouse: Warehouse, ask: Ask, tell: Callable[..., None], acts: list[tuple[str, str, str, date]]
) -> None:
    tell(warehouse, "delete from ops.instrument_tickers", "delete from ops.instruments")
    for act, one, other, day in acts:
        try:
            with warehouse.write() as connection:
                if act == "register":
                    register(connection, one)
                elif act == "rename":
                    rename(connection, one, other, day)
                else:
                    delist_instrument(connection, one, on=day)
        except ChandleryError:
            continue
    overlap = "daterange(a.valid_from, a.valid_to) && daterange(b.valid_from, b.valid_to)"
    pairs = f"from ops.instrument_tickers a join ops.instrument_tickers b on a.ctid < b.ctid and {overlap}"
    assert ask(warehouse, f"select a.ticker {pairs} where a.ticker = b.ticker") == []
    assert ask(warehouse, f"select a.ticker {pairs} where a.instrument_id = b.instrument_id") == []
    assert ask(warehouse, "select * from ops.instrument_tickers where valid_to <= valid_from") == []
