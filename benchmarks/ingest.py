"""End-to-end ingest beside a bare COPY of the same rows, in one run on one temporary server.

`python benchmarks/ingest.py`: the bundled tape's minutes go from the stand-in over HTTP through both judges
and publishing; then the very rows are copied into a table of the same shape and key, and into one without an index.
"""

import time
from datetime import date, timedelta

import polars as pl
from _warehouse import temporary_warehouse

from chandlery.market.timeframes import Timeframe
from chandlery.settings import Settings
from chandlery.sources import open_source
from chandlery.sources.standin.serve import running
from chandlery.sources.tapes import Tape, ensure_bundled_tape
from chandlery.steps.bars import ingest_bars
from chandlery.steps.calendar import build_calendar
from chandlery.steps.universe import sync_universe
from chandlery.store.frames import append_frame, read_frame
from chandlery.store.warehouse import Warehouse


def main() -> None:
    with temporary_warehouse() as (warehouse, home):
        _compare(warehouse, Tape.open(ensure_bundled_tape(home / "tape")))


def _compare(warehouse: Warehouse, tape: Tape) -> None:
    ranges = [span for item in tape.symbols() if (span := tape.minute_range(item.symbol)) is not None]
    start, end = min(first for first, _ in ranges), max(last for _, last in ranges) + timedelta(days=1)
    with running(tape) as url:
        source = open_source(Settings.model_validate({"source": "replay"}), replay_url=url)
        sync_universe(source, warehouse, symbols=(), source_name="replay")
        build_calendar(warehouse, start=start, end=end)
        # The first batch of a process pays the import of Great Expectations; it is not the work that is measured.
        ingest_bars(source, warehouse, timeframe=Timeframe.D1, start=date(2013, 2, 28), end=date(2013, 3, 1))
        began = time.perf_counter()
        receipt = ingest_bars(source, warehouse, timeframe=Timeframe.M1, start=start, end=end)
        ingest = time.perf_counter() - began
        began = time.perf_counter()
        ingest_bars(source, warehouse, timeframe=Timeframe.M1, start=start, end=end)
        replay = time.perf_counter() - began
        source.close()
    rows = receipt.total("rows_new")
    frame = read_frame(warehouse, "select * from raw.massive__bars_1m order by instrument_id, ts")
    keyed, bare = _copy(warehouse, frame, keyed=True), _copy(warehouse, frame, keyed=False)
    print(f"{rows:,} minute bars of {len(receipt.symbols)} symbols")
    for label, seconds in (
        ("ingest: HTTP, audit, publish", ingest),
        ("the same again, nothing changed", replay),
        ("COPY with the primary key", keyed),
        ("COPY without an index", bare),
    ):
        print(f"{label:40} {rows / seconds:>10,.0f} rows/s   {seconds / keyed:6.1f} x COPY with the key")


def _copy(warehouse: Warehouse, frame: pl.DataFrame, *, keyed: bool) -> float:
    table = "bench_keyed" if keyed else "bench_bare"
    with warehouse.write("owner") as connection:
        connection.exec_driver_sql(f"create table raw.{table} (like raw.massive__bars_1m)")
        if keyed:
            connection.exec_driver_sql(f"alter table raw.{table} add primary key (instrument_id, ts)")
        connection.exec_driver_sql(f"grant insert on raw.{table} to chandlery_pipeline")
    began = time.perf_counter()
    append_frame(warehouse, frame, schema="raw", table=table)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
