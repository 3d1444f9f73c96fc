"""Two years of minutes of many symbols, without network: audited, published, rolled up, beside a bare COPY.

`python benchmarks/two_years.py [SYMBOLS]` (default 50 = 9.8 M bars). The bars are synthetic: random walks in cents over
every regular minute of the sessions of 2022 and 2023. Printed are seconds, rows a second and the ratio to a COPY of the
same rows into a table with the same key; bytes a bar beside that table; the peak of memory.
"""

import resource
import sys
import time
from datetime import date
from typing import cast

from _walks import Walks
from _warehouse import temporary_warehouse

from chandlery.market.symbols import AssetClass
from chandlery.market.timeframes import Timeframe
from chandlery.sources.protocol import BarSource
from chandlery.steps.bars import ingest_bars
from chandlery.steps.calendar import build_calendar
from chandlery.steps.models import build_market_models
from chandlery.store.copying import copy_rows
from chandlery.store.universe import register_instrument
from chandlery.store.warehouse import Warehouse

CANDLES = (
    "staging intermediate candles_5m candles_15m candles_30m candles_1h candles_4h candles_1d candles_1w "
    "--resource-type model"
)
START, END = date(2022, 1, 1), date(2024, 1, 1)


def main() -> None:
    walks = Walks(START, END)
    symbols = [f"S{number}" for number in range(int(sys.argv[1]) if len(sys.argv) > 1 else 50)]
    with temporary_warehouse() as (warehouse, home):
        build_calendar(warehouse, start=START, end=END)
        with warehouse.write() as connection:
            for symbol in symbols:
                register_instrument(
                    connection,
                    symbol=symbol,
                    asset_class=AssetClass.STOCKS,
                    calendar="NYSE",
                    name=None,
                    source="synthetic",
                )
        source = cast("BarSource", walks)
        # The first batch of a process pays the import of Great Expectations and the first walk.
        ingest_bars(source, warehouse, timeframe=Timeframe.M1, start=START, end=date(2022, 1, 5))
        for symbol in symbols:
            walks.walk(symbol)
        began = time.perf_counter()
        receipt = ingest_bars(source, warehouse, timeframe=Timeframe.M1, start=START, end=END)
        ingest = time.perf_counter() - began
        candles = build_market_models(warehouse, start=START, end=END, target=home / "dbt", models=CANDLES).seconds
        models = build_market_models(warehouse, start=START, end=END, target=home / "dbt").seconds
        rows = receipt.total("rows_seen")
        keyed = _copy(warehouse, symbols, walks)
        print(f"{rows:,} minute bars of {len(symbols)} symbols, {receipt.total('windows')} windows")
        for label, seconds in (
            ("audit and publish", ingest),
            ("seven timeframes, without tests (dbt, process start included)", candles),
            ("both", ingest + candles),
            ("afterwards scores, served candles and all tests (dbt)", models),
            ("COPY with the primary key", keyed),
        ):
            print(f"{label:55} {seconds:8.1f} s {rows / seconds:>11,.0f} rows/s {seconds / keyed:6.2f} x COPY")
        print(f"peak memory of this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB")
        for name, size in _sizes(warehouse):
            print(f"{name:55} {size:8.1f} bytes/bar")


def _copy(warehouse: Warehouse, symbols: list[str], walks: Walks) -> float:
    with warehouse.write("owner") as connection:
        connection.exec_driver_sql("create table raw.bench_plain (like raw.massive__bars_1m)")
        connection.exec_driver_sql("alter table raw.bench_plain add primary key (instrument_id, ts)")
        connection.exec_driver_sql("grant insert, select on raw.bench_plain to chandlery_pipeline")
    began = time.perf_counter()
    for number, symbol in enumerate(symbols):
        with warehouse.write() as connection:
            constants: dict[str, int | str] = {"instrument_id": number, "ingest_id": 1, "reason": "first"}
            frame = walks.walk(symbol)
            copy_rows(connection, "raw.bench_plain", frame, optional=("vwap", "trade_count"), constants=constants)
    return time.perf_counter() - began


def _sizes(warehouse: Warehouse) -> list[tuple[str, float]]:
    query = (
        "select pg_relation_size('raw.{0}') * 1.0 / count(*), pg_indexes_size('raw.{0}') * 1.0 / count(*), "
        "(select pg_total_relation_size('raw.massive__bars_1m_history')) from raw.{0}"
    )
    found: list[tuple[str, float]] = []
    with warehouse.read("owner") as connection:
        for table in ("massive__bars_1m", "bench_plain"):
            heap, index, history = connection.exec_driver_sql(query.format(table)).one()
            found += [(f"{table}: rows", float(heap)), (f"{table}: index", float(index))]
        found.append(("history of bars with one version, all of it (bytes)", float(history)))
    return found


if __name__ == "__main__":
    main()
