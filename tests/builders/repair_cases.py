"""The shared repair cases (published series with one known defect, and the same repaired) as views."""

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from types import MappingProxyType

import polars as pl
import pytest

from chandlery.market.actions import Action, ActionKind, Status
from chandlery.market.bars import BAR_SCHEMA
from chandlery.market.calendar import build_sessions
from chandlery.market.exchange_hours import HOURS_SCHEMA
from chandlery.market.symbols import AssetClass, Instrument
from chandlery.market.timeframes import Timeframe
from chandlery.quality.series.view import SeriesView

FOLDER = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "tapes" / "repair_cases"
CURRENCIES: Mapping[str, str] = MappingProxyType({"L": "GBp", "T": "JPY", "AX": "AUD", "ST": "SEK"})
_ZONE = "America/New_York"


@dataclass(frozen=True)
class RepairCase:
    """One case: its view, and per session what the fixed file has (the same file where nothing is wrong)."""

    view: SeriesView
    fixed: pl.DataFrame


def repair_case(name: str) -> RepairCase:
    """Return a case by its file name without ending, `AET-L-1d-100x-error`; skip where the files are absent.

    The exchanges are in no calendar of ours: the dates of the file are its sessions, placed at New York midnight.
    Publisher's prices are divided by the splits it records.
    """
    if not FOLDER.exists():
        pytest.skip("the shared repair cases are not on this machine")
    broken = _rows(name)
    fixed = _rows(f"{name}-fixed") if (FOLDER / f"{name}-fixed.csv.gz").exists() else broken
    symbol = name.split("-1", maxsplit=1)[0]
    return RepairCase(_view(symbol, broken), fixed.select("session", "open", "high", "low", "close", "volume"))


def _rows(name: str) -> pl.DataFrame:
    text = gzip.decompress((FOLDER / f"{name}.csv.gz").read_bytes())
    frame = pl.read_csv(BytesIO(text), infer_schema=False)
    columns = ("Open", "High", "Low", "Close", "Volume", "Dividends", "Stock Splits")
    return frame.select(
        pl.col(frame.columns[0]).str.slice(0, 10).str.to_date().alias("session"),
        *(pl.col(column).cast(pl.Float64).alias(column.lower().replace(" ", "_")) for column in columns),
    ).sort("session")


def _view(symbol: str, rows: pl.DataFrame) -> SeriesView:
    days = rows["session"]
    hours = pl.DataFrame({"session": days, **{name: _at(days, 9, 30) for name in ("open", "usual_open")}}).with_columns(
        **{name: _at(days, 16, 0) for name in ("close", "usual_close")}
    )
    bars = rows.with_columns(ts=_at(days, 0, 0), vwap=pl.lit(None), trade_count=pl.lit(None))
    return SeriesView(
        instrument=Instrument(1, symbol, AssetClass.STOCKS, "NYSE", CURRENCIES.get(symbol.rpartition("-")[2], "USD")),
        timeframe=Timeframe.D1,
        start=_day(days.min()),
        end=_day(days.max()) + timedelta(days=1),
        bars=bars.select(*BAR_SCHEMA).cast(dict(BAR_SCHEMA)),  # type: ignore[arg-type]
        sessions=build_sessions("NYSE", hours.select(*HOURS_SCHEMA), ()),
        asked=days,
        actions=_actions(rows),
        is_split_adjusted=True,
    )


def _actions(rows: pl.DataFrame) -> tuple[Action, ...]:
    found = []
    for day, cash, ratio in rows.select("session", "dividends", "stock_splits").iter_rows():
        shared = {"ex_date": day, "status": Status.ACCEPTED, "evidence": {}, "source": "case"}
        if ratio:
            exact = Fraction(ratio).limit_denominator(10_000)
            found.append(
                Action(kind=ActionKind.SPLIT, split_from=exact.denominator, split_to=exact.numerator, **shared)
            )
        if cash:
            found.append(Action(kind=ActionKind.CASH_DIVIDEND, cash=Decimal(repr(cash)), currency="XXX", **shared))
    return tuple(found)


def _at(days: pl.Series, hour: int, minute: int) -> pl.Series:
    wall = days.cast(pl.Datetime("us")) + timedelta(hours=hour, minutes=minute)
    return wall.dt.replace_time_zone(_ZONE).dt.convert_time_zone("UTC")


def _day(value: object) -> date:
    assert isinstance(value, date)
    return value
