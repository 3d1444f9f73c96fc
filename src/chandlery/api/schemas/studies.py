"""What may be asked of studies, and the answers."""

from datetime import datetime

from pydantic import BaseModel, Field, JsonValue

from chandlery.api.schemas.shared import Page, PagedQuery, Published, Symbol, Word


class StudiesQuery(PagedQuery):
    """A listing of studies."""

    strategy: Word | None = Field(None, examples=["sma_cross"])
    symbol: Symbol | None = Field(None, examples=["AAPL"])
    limit: int = Field(100, ge=1, le=1000, description="Studies a page.")


class Study(BaseModel):
    """One strategy searched over one panel of candles."""

    study_id: str
    strategy: str
    strategy_version: int
    symbol: str
    timeframe: str
    method: str
    objective: str
    trials: int
    seed: int
    bars: int
    first_ts: datetime
    last_ts: datetime
    best_params: dict[str, JsonValue]
    metrics: dict[str, JsonValue]
    verdict: str
    source: str
    definition_hash: str
    panel_id: str
    code_version: str
    run_id: str | None
    created_at: datetime


class StudiesPage(Page):
    """Studies, newest first."""

    items: list[Study]


class Equity(BaseModel):
    """Equity and benchmark as arrays of equal length."""

    ts: list[datetime]
    equity: list[float]
    benchmark: list[float]


class StudyAnswer(Study):
    """A study with its equity curve."""

    published: Published | None
    equity: Equity
