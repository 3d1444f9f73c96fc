"""What may be asked of quality scores, and the answer."""

from datetime import date
from typing import Literal

from pydantic import BaseModel, Field, ValidationInfo, field_validator

from chandlery.api.instants import Session
from chandlery.api.schemas.shared import Page, PagedQuery, Symbol


class QualityQuery(PagedQuery):
    """Scores of sessions."""

    symbol: Symbol | None = Field(None, description="Without it: all symbols.", examples=["AAPL"])
    timeframe: Literal["1m", "1d"] | None = Field(None, description="Which base bars were audited.")
    start: Session | None = Field(None, description="First session (inclusive).", examples=["2024-01-02"])
    end: Session | None = Field(None, description="End (exclusive), after start.")
    limit: int = Field(1000, ge=1, le=10_000, description="Sessions a page.")

    @field_validator("end")
    @classmethod
    def _end_follows_start(cls, end: date | None, info: ValidationInfo) -> date | None:
        start = info.data.get("start")
        if start is not None and end is not None and end <= start:
            raise ValueError(f"was {end}, not after start {start}; the range is start <= session < end")
        return end


class SessionQuality(BaseModel):
    """The audit of one symbol's session; scores lie in [0, 1], null where nothing was expected."""

    symbol: str
    timeframe: str
    session: date
    instrument_id: int
    asset_class: str
    score: float | None
    validity: float | None
    completeness: float | None
    plausibility: float | None
    bar_count: int
    expected_count: int = Field(description="Bars it should have, by its habit and less halts.")
    held_count: int = Field(description="Bars held in quarantine.")
    findings: int = Field(description="Findings that lower the score.")
    source: str | None
    consistency: float | None = Field(description="Agreement with a second witness; null without one.")
    timeliness: float | None = Field(description="Null for sessions that closed before the symbol was tracked.")


class QualityPage(Page):
    """Scores by (symbol, timeframe, session)."""

    items: list[SessionQuality]
