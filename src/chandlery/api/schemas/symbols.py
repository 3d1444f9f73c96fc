"""What may be asked of symbols, and the answers."""

from datetime import date
from typing import Literal

from pydantic import BaseModel, Field

from chandlery.api.schemas.shared import Page, PagedQuery, Published, Word


class SymbolsQuery(PagedQuery):
    """A listing of symbols."""

    asset_class: Literal["stocks", "crypto", "indices", "forex", "options"] | None = Field(None)
    q: Word | None = Field(None, description="Part of symbol or name, in any case.", examples=["app"])
    limit: int = Field(100, ge=1, le=1000, description="Symbols a page.")


class Symbol(BaseModel):
    """A published symbol."""

    symbol: str
    instrument_id: int = Field(description="Ours, never reused; a symbol may change hands.")
    asset_class: str
    calendar: str
    currency: str
    name: str | None
    first_session: date | None
    last_session: date | None
    bars_1m: int
    bars_1d: int
    mean_score: float | None
    source: str | None


class SymbolsPage(Page):
    """Symbols in ascending order."""

    items: list[Symbol]


class SymbolAnswer(Symbol):
    """One symbol."""

    published: Published | None
