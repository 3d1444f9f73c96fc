"""Seven timeframes from minutes by the dbt models beside polars' group_by_dynamic, same rows, one run.

`python benchmarks/candles.py`: 60 sessions of 20 symbols (synthetic minutes) lie in `raw`; dbt builds the seven marts
for all of them and then for one day; polars rolls the same minutes up in memory.
"""

import json
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
from _warehouse import temporary_warehouse

from chandlery.market.calendar import sessions
from chandlery.market.symbols import AssetClass
from chandlery.settings import PROJECT_DIR, process_environment
from chandlery.steps.candles import dbt_environment
from chandlery.steps.universe import build_calendar
from chandlery.store.frames import append_frame
from chandlery.store.universe import register_instrument
from chandlery.store.warehouse import Warehouse

START, END = date(2012, 12, 4), date(2013, 3, 2)
SYMBOLS = 20
MODELS = "candles_5m candles_15m candles_30m candles_1h candles_4h candles_1d candles_1w"


def main() -> None:
    with temporary_warehouse() as (warehouse, home):
        _compare(warehouse, home)


def _compare(warehouse: Warehouse, home: Path) -> None:
    build_calendar(warehouse, start=START, end=END)
    minutes = _minutes()
    for number in range(SYMBOLS):
        with warehouse.write() as connection:
            found = register_instrument(
                connection,
                symbol=f"SYM{number:02d}",
                asset_class=AssetClass.STOCKS,
                calendar="NYSE",
                name=None,
                source="bench",
            )
        own = minutes.with_columns(instrument_id=pl.lit(found.instrument_id, dtype=pl.Int32))
        append_frame(warehouse, own, schema="raw", table="massive__bars_1m")
    rows = minutes.height * SYMBOLS
    _dbt(warehouse, home, "config.materialized:view", START, END)
    full = _dbt(warehouse, home, MODELS, START, END)
    again = _dbt(warehouse, home, MODELS, START, END)
    day = _dbt(warehouse, home, MODELS, date(2013, 2, 28), date(2013, 3, 1))
    memory = _polars(minutes)
    print(f"{rows:,} minutes, {SYMBOLS} symbols, 7 timeframes; dbt figures are the models' own seconds")
    print(f"polars group_by_dynamic, in memory   {rows / memory:>10,.0f} bars/s    1.0 x")
    print(f"dbt, first build                     {rows / full:>10,.0f} bars/s  {full / memory:5.1f} x polars")
    print(f"dbt, the whole window replaced       {rows / again:>10,.0f} bars/s  {again / memory:5.1f} x polars")
    print(f"dbt, one day replaced                {day:>10.2f} s       {day / again:5.2f} x the whole window")


def _minutes() -> pl.DataFrame:
    frame = sessions("NYSE", START, END)
    opens = [np.arange(row["open"], row["close"], np.timedelta64(1, "m")) for row in _naive(frame)]
    ts = np.concatenate(opens)
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
    }
    return pl.DataFrame(columns).with_columns(
        source=pl.lit("bench"), window_id=pl.lit(0, dtype=pl.Int64), known_from=pl.lit(frame["close"].max())
    )


def _naive(frame: pl.DataFrame) -> list[dict[str, np.datetime64]]:
    naive = frame.select(pl.col("open", "close").dt.replace_time_zone(None))
    return [{name: np.datetime64(value, "us") for name, value in row.items()} for row in naive.to_dicts()]


def _dbt(warehouse: Warehouse, home: Path, select: str, start: date, end: date) -> float:
    """Run the models and return the seconds they took themselves, process start and parsing left out."""
    window = json.dumps({"start_session": start.isoformat(), "end_session": end.isoformat()})
    project = str(PROJECT_DIR / "dbt_project")
    subprocess.run(
        [
            *(str(Path(sys.executable).parent / "dbt"), "run", "--quiet", "--select", *select.split()),
            *("--vars", window, "--project-dir", project, "--profiles-dir", project),
            *("--target-path", str(home / "target"), "--log-path", str(home / "logs")),
        ],
        check=True,
        env=process_environment(dbt_environment(warehouse)),
    )
    return float(json.loads((home / "target" / "run_results.json").read_text())["elapsed_time"])


def _polars(minutes: pl.DataFrame) -> float:
    groups = pl.concat([minutes.with_columns(symbol=pl.lit(number)) for number in range(SYMBOLS)])
    began = time.perf_counter()
    for length in ("5m", "15m", "30m", "1h", "4h", "1d", "1w"):
        groups.group_by_dynamic("ts", every=length, group_by="symbol").agg(
            pl.col("open").first(),
            pl.col("high").max(),
            pl.col("low").min(),
            pl.col("close").last(),
            pl.col("volume").sum(),
            pl.len(),
        )
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
