"""The scores of the mart equal those of `quality/score.py`, on the tapes and under constructed findings, to 1e-12."""

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from chandlery.market.bars import TS
from chandlery.market.calendar import sessions
from chandlery.market.findings import FINDING_SCHEMA
from chandlery.market.timeframes import Timeframe
from chandlery.quality.deadlines import deadlines, timeliness
from chandlery.quality.score import score, terms
from chandlery.quality.tally import Tally, count_bars

SYMBOLS = {"AAPL": (1, "NYSE"), "MSFT": (2, "NYSE"), "SPY": (3, "NYSE"), "X:BTCUSD": (5, "24/7")}
TERMS = ("validity", "completeness", "consistency", "plausibility", "timeliness")
SELECT = ("--select", "marts", "serving", "--exclude", "resource_type:unit_test")
HELD = datetime(2016, 4, 25, 15, 0, tzinfo=UTC)
TRACKED_FROM = datetime(2016, 5, 2, tzinfo=UTC)
KNOWN_FROM = datetime(2016, 5, 5, 3, tzinfo=UTC)
COMPARED = [date(2016, 4, day) for day in (20, 21, 22)] + [date(2016, 5, 10)]


@pytest.fixture
def disturbed(mart: Any) -> Iterator[pl.DataFrame]:
    """Return 120 findings over four tapes; besides one held bar, four day bars of MSFT, and MSFT tracked from May 2."""
    chance = random.Random(7)
    rows = [row for place in range(120) for row in [_finding(mart, chance, place)] if row]
    for row in rows:
        mart.find(**row)
    (created,) = mart.rows("select created_at from ops.instruments where instrument_id = 2")
    (known,) = mart.rows("select known_from from ops.ingests where ingest_id = 2")
    days = ", ".join(f"('{day} 04:00+00', 55, 56, 54, 55, 9, 2, 99, 'first')" for day in COMPARED)
    mart.do(
        "insert into raw.massive__quarantine "
        "(window_id, seq, instrument_id, timeframe, ts, open, high, low, close, volume, rules) "
        f"values (1, 1, 2, '1m', '{HELD}', 1, 0, 1, 1, 1, '{{x}}')",
        f"delete from raw.massive__bars_1m where instrument_id = 2 and ts = '{HELD}'",
        "insert into raw.massive__bars_1d (ts, open, high, low, close, volume, instrument_id, ingest_id, reason) "
        f"values {days}",
        f"update ops.instruments set created_at = '{TRACKED_FROM}' where instrument_id = 2",
        f"update ops.ingests set known_from = '{KNOWN_FROM}' where ingest_id = 2",
    )
    mart.build(*SELECT, rebuild=True)
    yield pl.DataFrame([_as_finding(row) for row in rows], schema=_SCHEMA)
    bar = mart.minutes["MSFT"].filter(pl.col("ts") == HELD)
    fixed = {"instrument_id": pl.lit(2), "ingest_id": pl.lit(2), "reason": pl.lit("first")}
    mart.copy("raw.massive__bars_1m", bar.with_columns(**fixed))
    mart.do(
        "delete from ops.findings",
        "delete from raw.massive__quarantine",
        "delete from raw.massive__bars_1d where instrument_id = 2",
        f"update ops.instruments set created_at = '{created[0]}' where instrument_id = 2",
        f"update ops.ingests set known_from = '{known[0]}' where ingest_id = 2",
    )
    mart.build(*SELECT, rebuild=True)


_SCHEMA = {name: dtype for name, dtype in FINDING_SCHEMA.items() if name != "row"} | {
    "symbol": pl.String,
    "state": pl.String,
}


def _finding(mart: Any, chance: random.Random, place: int) -> dict[str, Any]:
    symbol = chance.choice([*SYMBOLS])
    ts = chance.choice(mart.minutes[symbol]["ts"].to_list())
    session = _local(symbol, ts)
    ts_end = chance.choice([None, None, ts + timedelta(minutes=chance.randint(1, 4000))])
    return {
        "symbol": symbol,
        "session": str(session),
        "last_session": str(session if ts_end is None else _local(symbol, ts_end - timedelta(minutes=1))),
        "ts": ts,
        "ts_end": ts_end,
        "rule": f"rule_{place}",
        "check": 9,
        "severity": chance.choice(["critical", "major", "minor", "minor", "info"]),
        "verdict": chance.choice(["confirmed", "suspected", "suspected", "true_move", "explained"]),
        "state": chance.choice(["open", "open", "confirmed", "repaired", "dismissed"]),
        "term": chance.choice(["validity", "plausibility", "consistency", "completeness", "timeliness", "none"]),
    }


def _as_finding(row: dict[str, Any]) -> dict[str, Any]:
    days = {name: date.fromisoformat(row[name]) for name in ("session", "last_session")}
    return {**row, **days, "evidence": "{}"}


def _local(symbol: str, ts: datetime) -> date:
    zone = "UTC" if symbol.startswith("X:") else "America/New_York"
    return pl.Series([ts], dtype=TS).dt.convert_time_zone(zone).dt.date()[0]


def judged(mart: Any, symbol: str, held: tuple[datetime, ...] = ()) -> pl.DataFrame:
    """The judged bars of a tape: regular, no fillers, with the held ones not present."""
    bars = mart.minutes[symbol].sort("ts")
    first, last = _local(symbol, bars["ts"][0]), _local(symbol, bars["ts"][-1])
    days = sessions(SYMBOLS[symbol][1], first, last + timedelta(days=1)).select("session", "open", "close")
    flat = (pl.col("high") == pl.col("low")) & (pl.col("open") == pl.col("close")) & (pl.col("high") == pl.col("close"))
    return (
        bars.filter(~((pl.col("volume") == 0) & flat))
        .select("ts")
        .join_asof(
            days.rename({"open": "opens_at"}).sort("opens_at"), left_on="ts", right_on="opens_at", coalesce=False
        )
        .filter(pl.col("ts") < pl.col("close"))
        .select("ts", "session", is_present=~pl.col("ts").is_in(list(held)))
    )


def rows_of(mart: Any, number: int) -> list[tuple[Any, ...]]:
    return mart.rows(
        f"select session, expected_count, score, {', '.join(TERMS)}, findings from marts.quality_scores_daily "
        "where instrument_id = %s and timeframe = '1m' order by session",
        number,
    )


def assert_equal(row: tuple[Any, ...], tally: Tally) -> None:
    values = {term.value: value for term, value in terms(tally).items()}
    expected = [score(tally), *(values.get(name) for name in TERMS)]
    assert list(row[2:8]) == [
        None if value is None else pytest.approx(value, rel=1e-12, abs=1e-12) for value in expected
    ], row[0]


@pytest.mark.parametrize("symbol", [*SYMBOLS])
def test_undisturbed_scores_are_those_of_the_functions(mart: Any, symbol: str) -> None:
    bars = judged(mart, symbol)
    rows = rows_of(mart, SYMBOLS[symbol][0])
    assert rows
    none = pl.DataFrame(schema=_SCHEMA)
    for row in rows:
        of_session = bars.filter(pl.col("session") == row[0])
        assert_equal(row, count_bars(of_session, none, Timeframe.M1, expected=row[1]))


@pytest.fixture
def consistency_with(mart: Any) -> Iterator[Any]:
    """Return a function that tells what the judges say of another source of MSFT, and gives its consistency."""

    def told(*, is_independent: bool | None) -> list[float | None]:
        mart.do("delete from ops.witness_sources where instrument_id = 2")
        if is_independent is not None:
            word = f"insert into ops.witness_sources values (2, '1m', 'vendor', {is_independent}, 30)"
            mart.do(word)
        mart.build("--select", "quality_scores_daily", "--exclude", "resource_type:unit_test")
        query = "select consistency from marts.quality_scores_daily where instrument_id = 2 and session = '2016-04-21'"
        return [value for (value,) in mart.rows(query)]

    mart.do(
        "insert into raw.witness__bars (instrument_id, timeframe, source, ts, open, high, low, close, volume) "
        "values (2, '1d', 'vendor', '2016-04-21 04:00+00', 55, 56, 54, 55, 9)"
    )
    yield told
    mart.do("delete from raw.witness__bars where instrument_id = 2")
    told(is_independent=None)


def test_session_is_compared_only_with_a_source_the_judges_found_independent(consistency_with: Any) -> None:
    # Nothing is rebuilt by hand: the changed word makes the session due.
    assert consistency_with(is_independent=None) == [None]
    assert consistency_with(is_independent=False) == [None]
    assert consistency_with(is_independent=True) == [1.0]
    assert consistency_with(is_independent=False) == [None]


def test_disturbed_scores_are_those_of_the_functions(mart: Any, disturbed: pl.DataFrame) -> None:
    due = deadlines(sessions("NYSE", date(2016, 4, 15), date(2016, 5, 20)), Timeframe.M1)
    timely = dict(
        due.select("session", timeliness(pl.lit(KNOWN_FROM).cast(TS), pl.col("close"), pl.col("deadline"))).iter_rows()
    )
    lowered = 0
    for symbol, (number, _) in SYMBOLS.items():
        bars = judged(mart, symbol, held=(HELD,) if symbol == "MSFT" else ())
        found = disturbed.filter(pl.col("symbol") == symbol)
        for row in rows_of(mart, number):
            day = row[0]
            tally = count_bars(
                bars.filter(pl.col("session") == day),
                found.filter(pl.col("session") <= day, pl.col("last_session") >= day),
                Timeframe.M1,
                expected=row[1],
                is_compared=symbol == "MSFT" and day in COMPARED,
                timeliness=timely[day] if symbol == "MSFT" and day >= TRACKED_FROM.date() else None,
            )
            assert_equal(row, tally)
            lowered += row[8] > 0
    # The seed makes enough of them, of every kind.
    assert lowered > 30
