"""What may be asked of candles, and the answer's two layouts."""

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, Field, ValidationInfo, field_validator

from chandlery.api.instants import Instant
from chandlery.api.schemas.shared import CandleTimeframe, PagedQuery, Published, Symbol


class CandleQuery(PagedQuery):
    """One range of one series."""

    symbol: Symbol
    timeframe: CandleTimeframe = Field(description="Length of a candle.", examples=["1h"])
    basis: Literal["minutes", "day"] = Field(
        "minutes",
        description="`minutes`: rolled up from minute bars of the regular session. `day`: the vendor's day bars as "
        "published, unadjusted, timeframe 1d only. One answer never mixes them.",
    )
    start: Instant | None = Field(
        None, description="First instant (inclusive): a date is midnight UTC.", examples=["2024-01-02"]
    )
    end: Instant | None = Field(None, description="End (exclusive), after start.", examples=["2024-01-03T00:00:00Z"])
    min_quality: float | None = Field(
        None, ge=0, le=1, allow_inf_nan=False, description="Least quality score; leaves out candles without a score."
    )
    limit: int = Field(1000, ge=1, le=50_000, description="Candles a page.")
    order: Literal["asc", "desc"] = Field("asc", description="By open time.")
    layout: Literal["columns", "objects"] = Field("columns", description="Columns are smaller and faster.")
    format: Literal["json", "csv"] = Field("json", description="CSV: next page in the `Link` header.")

    @field_validator("basis")
    @classmethod
    def _day_bars_are_daily(cls, basis: str, info: ValidationInfo) -> str:
        timeframe = info.data.get("timeframe", "1d")
        if basis == "day" and timeframe != "1d":
            raise ValueError(f"was 'day' with timeframe {timeframe}; day bars exist for timeframe 1d only")
        return basis

    @field_validator("end")
    @classmethod
    def _end_follows_start(cls, end: datetime | None, info: ValidationInfo) -> datetime | None:
        start = info.data.get("start")
        if start is not None and end is not None and end <= start:
            raise ValueError(
                f"was {end.isoformat()}, not after start {start.isoformat()}; the range is start <= ts < end"
            )
        return end


class Candle(BaseModel):
    """One candle, covering `[ts, ts + timeframe)`."""

    ts: datetime = Field(description="Open, UTC.")
    session: date = Field(description="Exchange-local date.")
    open: float
    high: float
    low: float
    close: float
    volume: float
    vwap: float | None
    trade_count: int | None
    bar_count: int = Field(description="Bars it was built from.")
    expected_count: int = Field(description="Bars there should be.")
    is_final: bool
    quality_score: float | None
    source: str


class CandleColumns(BaseModel):
    """The fields of a candle as arrays of equal length."""

    ts: list[datetime]
    session: list[date]
    open: list[float]
    high: list[float]
    low: list[float]
    close: list[float]
    volume: list[float]
    vwap: list[float | None]
    trade_count: list[int | None]
    bar_count: list[int]
    expected_count: list[int]
    is_final: list[bool]
    quality_score: list[float | None]
    source: list[str]


class CandleEnvelope(BaseModel):
    """What both layouts say about their candles."""

    symbol: str
    timeframe: CandleTimeframe
    basis: Literal["minutes", "day"]
    order: Literal["asc", "desc"]
    published: Published
    sources: list[str] = Field(description="Where the rows of this page come from.")
    is_simulated: bool = Field(description="Whether any row of this page is simulated.")
    count: int
    next: str | None = Field(description="URL of the next page, null on the last.")


class CandleColumnsPage(CandleEnvelope):
    """Candles as columns."""

    columns: CandleColumns


class CandleObjectsPage(CandleEnvelope):
    """Candles as objects."""

    candles: list[Candle]
