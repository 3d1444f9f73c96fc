"""What the demo would ingest of a tape, and how one tape makes room for another."""

import json
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any

import pandas_market_calendars as mcal
import polars as pl
import pytest
from rich.console import Console

from chandlery.cli.demo import Span, Stage, _count, _note, _stages, _take_over, spans_of
from chandlery.errors import BadTape, Conflict
from chandlery.market.timeframes import Timeframe
from chandlery.settings import Settings
from chandlery.sources.tapes import Tape, ensure_bundled_tape
from chandlery.steps.research import strategy_names
from chandlery.store.universe import tracked_instruments
from chandlery.store.warehouse import Warehouse

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "tapes"
STOCKS = ("AAPL", "FB", "GOOG", "IBM", "MSFT")


def write_tape(folder: Path, *files: tuple[str, str, date, date]) -> Tape:
    """Write one row at each end of a range, per (kind, symbol, first, last)."""
    for kind, symbol, first, last in files:
        frame = pl.DataFrame({"symbol": symbol, "session": [first, last]}).with_columns(
            *(pl.lit(1.0).alias(name) for name in ("open", "high", "low", "close", "volume"))
        )
        if kind.endswith("minute"):
            noon = pl.col("session").cast(pl.Datetime("ms")).dt.offset_by("17h").dt.epoch("ms")
            frame = frame.with_columns(t=noon).drop("session")
        (folder / kind).mkdir(exist_ok=True)
        frame.write_parquet(folder / kind / f"{symbol.replace(':', '_')}.parquet")
    return Tape.open(folder)


@pytest.fixture(scope="module")
def bundled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Span, ...]:
    return spans_of(Tape.open(ensure_bundled_tape(tmp_path_factory.mktemp("home") / "tape")))


def test_bundled_tape_is_one_span_of_minutes_and_one_of_days(bundled: tuple[Span, ...]) -> None:
    minutes, days = bundled
    assert (minutes.timeframe, days.timeframe) == (Timeframe.M1, Timeframe.D1)
    assert set(minutes.ranges) == set(days.ranges) == {*STOCKS, "X:SIMUSD"}
    assert (days.first, days.last) == (date(2000, 3, 1), date(2013, 3, 1))


def test_bundled_minutes_are_sixty_sessions_of_each_market(bundled: tuple[Span, ...]) -> None:
    held = mcal.get_calendar("NYSE").valid_days("2012-01-01", "2013-03-01")[-60:]
    sixty = (held[0].date(), held[-1].date())
    assert {symbol: bundled[0].ranges[symbol] for symbol in STOCKS} == dict.fromkeys(STOCKS, sixty)
    assert bundled[0].ranges["X:SIMUSD"] == (date(2013, 1, 1), date(2013, 3, 1))
    assert (bundled[0].first, bundled[0].last) == sixty


def test_recorded_tapes_are_cut_where_a_month_lies_empty() -> None:
    if not DATA.is_dir():
        pytest.skip("recorded data lie beside the checkout in shared/data and are absent here")
    april = (date(2016, 4, 15), date(2016, 5, 13))
    first = date(2000, 1, 1)
    assert spans_of(Tape.open(DATA)) == (
        Span(Timeframe.M1, {"X:BTCUSD": (date(2016, 2, 9), date(2016, 4, 19)), "AAPL": april, "MSFT": april}),
        Span(Timeframe.M1, {"SPY": (date(2011, 1, 3), date(2011, 1, 31))}),
        Span(
            Timeframe.D1,
            {
                "AAPL": (first, date(2013, 12, 31)),
                "BA": (first, date(2013, 12, 31)),
                "EBAY": (first, date(2013, 12, 31)),
                "GE": (first, date(2013, 12, 31)),
                "SPY": (date(2007, 12, 31), date(2017, 12, 29)),
            },
        ),
    )


def test_gap_of_thirty_days_joins_and_of_thirty_one_divides(tmp_path: Path) -> None:
    near = write_tape(
        tmp_path,
        ("us_minute", "A", date(2020, 1, 2), date(2020, 1, 31)),
        ("us_minute", "B", date(2020, 3, 1), date(2020, 3, 6)),
        ("us_minute", "C", date(2020, 4, 6), date(2020, 4, 9)),
    )
    assert [tuple(span.ranges) for span in spans_of(near)] == [("C",), ("A", "B")]


def test_indices_are_left_out_and_old_days_cut_off(tmp_path: Path) -> None:
    tape = write_tape(
        tmp_path,
        ("us_minute", "I:SPX", date(2019, 11, 5), date(2019, 11, 8)),
        ("us_daily", "BA", date(1962, 1, 2), date(2013, 12, 31)),
        ("us_daily", "OLD", date(1962, 1, 2), date(1999, 12, 31)),
    )
    assert spans_of(tape) == (Span(Timeframe.D1, {"BA": (date(2000, 1, 1), date(2013, 12, 31))}),)


def test_tape_without_anything_to_show_is_refused(tmp_path: Path) -> None:
    tape = write_tape(tmp_path, ("us_daily", "OLD", date(1962, 1, 2), date(1999, 12, 31)))
    with pytest.raises(BadTape, match="since 2000-01-01"):
        spans_of(tape)


def test_stages_ask_for_each_symbol_where_it_has_bars() -> None:
    ranges = {"AAPL": (date(2020, 1, 2), date(2020, 1, 31)), "X:BTCUSD": (date(2020, 1, 1), date(2020, 2, 2))}
    stages = _stages((Span(Timeframe.M1, ranges), Span(Timeframe.D1, {"AAPL": ranges["AAPL"]})))
    assert len(stages) == 4
    assert stages[0].partitions == "2020-01-01...2020-02-02"
    assert json.loads(stages[0].config or "") == {
        "ops": {
            "raw__massive__bars_1m": {
                "config": {"spans": {"AAPL": "2020-01-02...2020-01-31", "X:BTCUSD": "2020-01-01...2020-02-02"}}
            }
        }
    }
    assert "raw/massive__bars_1d" in stages[1].select
    assert stages[2].studied == ("AAPL", "rsi2_connors", "rsi_revert", "rsi_mid", "sma_cross")
    assert set(stages[2].studied[1:]) < set(strategy_names())


def take_over(home: Path, warehouse: Any, origin: str) -> str:
    said = StringIO()
    _take_over(Settings(_env_file=None, home=home), warehouse, origin, Console(file=said, width=500))
    return said.getvalue()


def register(tell: Any, warehouse: Any, source: str) -> None:
    tell(
        warehouse,
        "insert into ops.instruments (instrument_id, asset_class, calendar) overriding system value "
        "values (1, 'stocks', 'NYSE')",
        f"insert into ops.instrument_tickers values ('AAPL', '1900-01-01', null, 1, '{source}')",
    )


def tracked(warehouse: Any) -> int:
    with warehouse.read() as connection:
        return len(tracked_instruments(connection))


def test_same_tape_again_keeps_the_warehouse(fresh: Any, tell: Any, tmp_path: Path) -> None:
    register(tell, fresh, "replay")
    assert [take_over(tmp_path, fresh, "/tapes/one") for _ in range(2)] == ["", ""]
    assert tracked(fresh) == 1


def test_other_tape_empties_the_warehouse_and_says_so(fresh: Any, tell: Any, tmp_path: Path) -> None:
    register(tell, fresh, "replay")
    take_over(tmp_path, fresh, "/tapes/one")
    assert "bars of /tapes/one; they make room for those of /tapes/two" in take_over(tmp_path, fresh, "/tapes/two")
    assert tracked(fresh) == 0
    assert take_over(tmp_path, fresh, "/tapes/two") == ""


def test_bars_of_the_vendor_never_make_room(fresh: Any, tell: Any, tmp_path: Path) -> None:
    register(tell, fresh, "massive")
    take_over(tmp_path, fresh, "/tapes/one")
    for _ in range(2):
        with pytest.raises(Conflict, match="another CHANDLERY_HOME"):
            take_over(tmp_path, fresh, "/tapes/two")
    assert tracked(fresh) == 1


def test_demo_on_a_given_server_needs_no_home_beforehand(fresh: Any, tmp_path: Path) -> None:
    assert take_over(tmp_path / "home", fresh, "/tapes/one") == ""


def test_bars_still_to_come_are_counted_from_the_first_partition_on(tmp_path: Path) -> None:
    tape = write_tape(tmp_path, ("us_daily", "BA", date(1962, 1, 2), date(2013, 12, 31)))
    (span,) = spans_of(tape)
    assert _count(tape, span) == 1


def test_note_tells_bars_rate_and_time_left(fresh: Warehouse, tell: Any) -> None:
    note = _note(fresh, Stage("days", "*", bars=400), "stage 1 of 2")
    assert note() == "stage 1 of 2"
    tell(
        fresh,
        "insert into ops.instruments (asset_class, calendar) values ('stocks', 'NYSE')",
        "insert into ops.ingest_windows (instrument_id, timeframe, start_session, end_session, status, rows_seen, "
        "attempts) values (1, '1d', '2013-01-02', '2013-02-02', 'published', 100, 1)",
    )
    # 100 bars in the shortest span that counts, 0.25 s: 400 a second, so 300 bars take 0.75 s.
    assert note() == "100 of 400 bars, 400/s, 1 s left, stage 1 of 2"
    tell(fresh, "update ops.ingest_windows set rows_seen = 400")
    assert note() == "400 bars in, building on them, stage 1 of 2"
