"""The shared tapes as bar frames, with the context of their audit."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from chandlery.market.bars import BAR_SCHEMA
from chandlery.market.calendar import ZONES, sessions
from chandlery.market.symbols import Instrument, asset_class_of, calendar_of
from chandlery.market.timeframes import Timeframe
from chandlery.quality.context import AuditContext

TAPES = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "tapes"


def context_for(bars: pl.DataFrame, symbol: str, timeframe: Timeframe) -> AuditContext:
    asset_class = asset_class_of(symbol)
    calendar = calendar_of(asset_class)
    days = bars["ts"].dt.convert_time_zone(ZONES[calendar]).dt.date()
    start, end = days.min(), days.max() + timedelta(days=1)
    instrument = Instrument(1, symbol, asset_class, calendar)
    return AuditContext(instrument, timeframe, start, end, sessions(calendar, start, end))


@pytest.fixture
def tape() -> Callable[[str, str], tuple[pl.DataFrame, AuditContext]]:
    def read(name: str, symbol: str) -> tuple[pl.DataFrame, AuditContext]:
        path = TAPES / f"{name}.parquet"
        if not path.exists():
            pytest.skip("the shared tapes are not on this machine")
        frame = pl.read_parquet(path)
        timeframe = Timeframe.M1 if "t" in frame.columns else Timeframe.D1
        midnight = pl.col("session" if timeframe is Timeframe.D1 else "symbol")
        stamps = (
            pl.from_epoch("t", time_unit="ms").dt.replace_time_zone("UTC")
            if timeframe is Timeframe.M1
            else midnight.cast(pl.Datetime("us")).dt.replace_time_zone("America/New_York").dt.convert_time_zone("UTC")
        )
        bars = frame.select(
            stamps.alias("ts"),
            *("open", "high", "low", "close", "volume"),
            vwap=pl.lit(None),
            trade_count=pl.lit(None),
        ).cast(dict(BAR_SCHEMA))
        return bars, context_for(bars, symbol, timeframe)

    return read
