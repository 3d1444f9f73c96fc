"""Symbols: the vendor's tickers as users write them, and what each asset class implies."""

import re
from dataclasses import dataclass
from enum import StrEnum

from chandlery.errors import InvalidInput

SYMBOL_PATTERN = re.compile(r"[A-Z0-9.:_-]{1,32}")


class AssetClass(StrEnum):
    """What is traded; it chooses calendar and checks."""

    STOCKS = "stocks"
    CRYPTO = "crypto"
    INDICES = "indices"
    FOREX = "forex"
    OPTIONS = "options"


_PREFIXES = {
    "X:": AssetClass.CRYPTO,
    "C:": AssetClass.FOREX,
    "I:": AssetClass.INDICES,
    "O:": AssetClass.OPTIONS,
}

_CALENDARS = {AssetClass.CRYPTO: "24/7"}


@dataclass(frozen=True, slots=True)
class Instrument:
    """One traded thing; `instrument_id` is ours and never reused, the symbol may change hands."""

    instrument_id: int
    symbol: str
    asset_class: AssetClass
    calendar: str
    currency: str = "USD"


def parse_symbol(text: str) -> str:
    """Return `text` as a symbol: upper case, 1 to 32 of `A-Z 0-9 . : _ -`.

    Raises:
        InvalidInput: if it cannot be a symbol.
    """
    symbol = text.strip().upper()
    if not text.isascii() or not SYMBOL_PATTERN.fullmatch(symbol):
        raise InvalidInput(f"Symbol was {text!r}; a symbol is 1 to 32 of A-Z 0-9 . : _ - (AAPL, X:BTCUSD).")
    return symbol


def asset_class_of(symbol: str) -> AssetClass:
    """Return the asset class the vendor's prefix names (`X:` crypto, `I:` index, none: stocks)."""
    return _PREFIXES.get(symbol[:2], AssetClass.STOCKS)


def calendar_of(asset_class: AssetClass) -> str:
    """Return the calendar name: `24/7` for crypto, `NYSE` for everything listed."""
    return _CALENDARS.get(asset_class, "NYSE")
