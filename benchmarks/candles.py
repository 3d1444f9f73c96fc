"""Seven timeframes from minutes by the dbt models, beside polars' group_by_dynamic and the bare COPY of the same rows.

`python benchmarks/candles.py`: 14 months of 40 symbols (4.5 million synthetic minutes) are copied into `raw`; dbt
builds the seven marts for all of them, again without a change, again from scratch, and for one changed day; then
as much history again is put before it, and the day is built once more. Everything in one run, on one server.
"""

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import psycopg
from _warehouse import temporary_warehouse
from sqlalchemy import text

from chandlery.market.calendar import sessions
from chandlery.market.symbols import AssetClass
from chandlery.settings import PROJECT_DIR, process_environment
from chandlery.steps.calendar import build_calendar
from chandlery.steps.candles import dbt_environment
from chandlery.store.copying import copy_rows
from chandlery.store.universe import register_instrument
from chandlery.store.warehouse import Warehouse, Writer

EARLIER, START, END = date(2010, 11, 1), date(2012, 1, 1), date(2013, 3, 1)
DAY, NEXT = date(2013, 2, 27), date(2013, 2, 28)
SYMBOLS = 40
FRAMES = ("5m", "15m", "30m", "1h", "4h", "1d", "1w")
MODELS = " ".join(f"candles_{frame}" for frame in FRAMES)


@dataclass(frozen=True, slots=True)
class Bench:
    """The server under test and where dbt puts its files."""

    warehouse: Warehouse
    home: Path
    instruments: tuple[int, ...]


def main() -> None:
    with temporary_warehouse() as (warehouse, home):
        build_calendar(warehouse, start=EARLIER, end=END)
        bench = Bench(warehouse, home, tuple(_registered(warehouse, number) for number in range(SYMBOLS)))
        minutes = _minutes(START, END)
        rows = minutes.height * SYMBOLS
        copied = _load(bench, minutes)
        vacuumed = _vacuum(bench)
        _dbt(bench, "config.materialized:view", START, END)
        first, process = _dbt(bench, MODELS, START, END)
        unchanged, _ = _dbt(bench, MODELS, START, END)
        rebuilt, _ = _dbt(bench, MODELS, START, END, rebuild=True)
        _empty(bench)
        filled, _ = _dbt(bench, MODELS, START, END)
        day = _one_day(bench)
        _load(bench, _minutes(EARLIER, START))
        _dbt(bench, MODELS, EARLIER, START)
        later = _one_day(bench)
        memory = _polars(minutes)
    print(f"{rows:,} minutes, {SYMBOLS} symbols, 7 timeframes; seconds of dbt without process start and parsing")
    print(f"{'':38}{'s':>8}{'bars/s':>12}{'polars':>9}{'COPY':>9}")
    for name, seconds in (
        ("polars group_by_dynamic, in memory", memory),
        ("bare COPY of the minutes into raw", copied),
        ("VACUUM ANALYZE of them (autovacuum)", vacuumed),
        ("dbt, first build", first),
        ("  the same with the process's start", process),
        ("dbt, into marts that exist", filled),
        ("dbt, all rebuilt, nothing differs", rebuilt),
        ("dbt, nothing changed", unchanged),
    ):
        print(f"{name:38}{seconds:8.2f}{rows / seconds:12,.0f}{seconds / memory:7.1f} x{seconds / copied:7.1f} x")
    print(f"dbt, one changed day of {SYMBOLS} symbols: {day:.2f} s; with twice the history {later:.2f} s")


def _registered(warehouse: Warehouse, number: int) -> int:
    with warehouse.write() as connection:
        found = register_instrument(
            connection,
            symbol=f"SYM{number:02d}",
            asset_class=AssetClass.STOCKS,
            calendar="NYSE",
            name=None,
            source="bench",
        )
    return found.instrument_id


def _minutes(start: date, end: date) -> pl.DataFrame:
    frame = sessions("NYSE", start, end).select(pl.col("open", "close").dt.replace_time_zone(None))
    ts = np.concatenate(
        [
            np.arange(np.datetime64(opens, "us"), np.datetime64(closes, "us"), np.timedelta64(1, "m"))
            for opens, closes in frame.iter_rows()
        ]
    )
    generator = np.random.default_rng(7)
    close = 100 + np.cumsum(generator.normal(0, 0.05, ts.size))
    opening = close + generator.normal(0, 0.03, ts.size)
    columns = {
        "ts": pl.Series(ts).cast(pl.Datetime("us")).dt.replace_time_zone("UTC"),
        "open": opening,
        "high": np.maximum(opening, close) + 0.02,
        "low": np.minimum(opening, close) - 0.02,
        "close": close,
        "volume": generator.integers(100, 10_000, ts.size).astype(float),
        "vwap": (opening + close) / 2,
        "trade_count": generator.integers(1, 100, ts.size),
    }
    return pl.DataFrame(columns)


def _load(bench: Bench, minutes: pl.DataFrame) -> float:
    """Copy the minutes of every symbol as one ingest each and return the seconds of the COPY alone."""
    seconds = 0.0
    for instrument_id in bench.instruments:
        with bench.warehouse.write() as connection:
            ingest_id = _ingest(connection)
            began = time.perf_counter()
            fixed = {"instrument_id": instrument_id, "ingest_id": ingest_id, "reason": "first"}
            copy_rows(connection, "raw.massive__bars_1m", minutes, constants=fixed)
            seconds += time.perf_counter() - began
            _note_sessions(connection, instrument_id, ingest_id, minutes["ts"][0].date(), minutes["ts"][-1].date())
    return seconds


def _ingest(connection: Writer) -> int:
    statement = text(
        "insert into ops.ingests (window_id, attempt, source, request_ids, payload_sha256, known_from) "
        "values (0, 1, 'bench', '{}', '', clock_timestamp()) returning ingest_id"
    )
    return int(connection.execute(statement).scalar_one())


def _note_sessions(connection: Writer, instrument_id: int, ingest_id: int, first: date, last: date) -> None:
    """Do what the publisher does: name the ingest that changed the bars of these sessions."""
    statement = text(
        "insert into ops.bar_sessions "
        "(instrument_id, timeframe, session, bars, first_ts, last_ts, ingest_id, first_ingest_id) "
        "select :instrument, '1m', session, 390, open, close - interval '1 minute', :ingest, :ingest from ops.sessions "
        "where calendar = 'NYSE' and session between :first and :last "
        "on conflict (instrument_id, timeframe, session) do update set ingest_id = excluded.ingest_id"
    )
    connection.execute(statement, {"instrument": instrument_id, "ingest": ingest_id, "first": first, "last": last})


def _vacuum(bench: Bench) -> float:
    """Do what autovacuum does within a minute of a load; else whoever reads first writes every page once more."""
    began = time.perf_counter()
    with psycopg.connect(bench.warehouse.url("owner"), autocommit=True) as connection:
        connection.execute("vacuum analyze raw.massive__bars_1m")
    return time.perf_counter() - began


def _empty(bench: Bench) -> None:
    with bench.warehouse.write("owner") as connection:
        connection.execute(text(f"truncate marts.candle_builds, {', '.join(f'marts.candles_{one}' for one in FRAMES)}"))


def _one_day(bench: Bench) -> float:
    """Change one bar of every symbol on one day and return the seconds of the build; the best of three."""
    seconds = []
    for number in range(3):
        with bench.warehouse.write() as connection:
            for instrument_id in bench.instruments:
                connection.execute(
                    text(
                        "update raw.massive__bars_1m set volume = :volume "
                        "where instrument_id = :instrument and ts = '2013-02-27 17:00+00'"
                    ),
                    {"volume": 5000 + number, "instrument": instrument_id},
                )
                _note_sessions(connection, instrument_id, _ingest(connection), DAY, DAY)
        seconds.append(_dbt(bench, MODELS, DAY, NEXT)[0])
    return min(seconds)


def _dbt(bench: Bench, select: str, start: date, end: date, *, rebuild: bool = False) -> tuple[float, float]:
    """Run the models; return the seconds of the run itself, and with the process's start and parsing."""
    variables = {"start_session": start.isoformat(), "end_session": end.isoformat(), "rebuild": rebuild}
    project = str(PROJECT_DIR / "dbt_project")
    began = time.perf_counter()
    subprocess.run(
        [
            *(str(Path(sys.executable).parent / "dbt"), "run", "--quiet", "--select", *select.split()),
            *("--vars", json.dumps(variables), "--project-dir", project, "--profiles-dir", project),
            *("--target-path", str(bench.home / "target"), "--log-path", str(bench.home / "logs")),
        ],
        check=True,
        env=process_environment(dbt_environment(bench.warehouse)),
    )
    process = time.perf_counter() - began
    results = json.loads((bench.home / "target" / "run_results.json").read_text())
    return float(results["elapsed_time"]), process


def _polars(minutes: pl.DataFrame) -> float:
    groups = pl.concat([minutes.with_columns(symbol=pl.lit(number)) for number in range(SYMBOLS)])
    began = time.perf_counter()
    for length in FRAMES:
        groups.group_by_dynamic("ts", every=length, group_by="symbol").agg(
            pl.col("open").first(),
            pl.col("high").max(),
            pl.col("low").min(),
            pl.col("close").last(),
            pl.col("volume").sum(),
            (pl.col("vwap") * pl.col("volume")).sum().alias("turnover"),
            pl.col("trade_count").sum(),
            pl.len(),
        )
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
