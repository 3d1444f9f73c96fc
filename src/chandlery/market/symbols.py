"""Symbols: the vendor's tickers as users write them, and what each asset class implies."""

import re
from dataclasses import dataclass
from enum import StrEnum

from chandlery.errors import InvalidInput

SYMBOL_PATTERN = re.compile(r"(?=.{1,32}\Z)(?:[A-Z]:)?[A-Z0-9][A-Z0-9._-]*")
"""A class prefix if any, then a letter or digit, then what vendors put into tickers."""


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

TRACKABLE = (AssetClass.STOCKS, AssetClass.CRYPTO, AssetClass.INDICES, AssetClass.OPTIONS)
"""Classes whose sessions the calendar table knows."""


@dataclass(frozen=True, slots=True)
class Instrument:
    """One traded thing; `instrument_id` is ours and never reused, the symbol may change hands."""

    instrument_id: int
    symbol: str
    asset_class: AssetClass
    calendar: str
    currency: str = "USD"


def parse_symbol(text: str) -> str:
    """Return `text` as a symbol: upper case, 1 to 32 of `A-Z 0-9 . _ -` after an optional class prefix `X:`.

    Raises:
        InvalidInput: if it cannot be a symbol.
    """
    symbol = text.strip().upper()
    if not text.isascii() or not SYMBOL_PATTERN.fullmatch(symbol):
        raise InvalidInput(
            f"Symbol was {text!r}; a symbol is 1 to 32 of A-Z 0-9 . : _ - and begins with a letter or digit, the colon "
            "only after a class prefix (AAPL, BRK.B, X:BTCUSD)."
        )
    return symbol


def asset_class_of(symbol: str) -> AssetClass:
    """Return the asset class the vendor's prefix names (`X:` crypto, `I:` index, none: stocks)."""
    return _PREFIXES.get(symbol[:2], AssetClass.STOCKS)


def calendar_of(asset_class: AssetClass) -> str:
    """Return the calendar name: `24/7` for crypto, `NYSE` for everything else.

    Stocks, indices and options follow the exchange. Forex days are New York's as well, but its hours are no
    exchange's: see `require_trackable`.
    """
    return _CALENDARS.get(asset_class, "NYSE")


def require_trackable(symbol: str) -> AssetClass:
    """Return the asset class of a symbol whose sessions the calendar table knows.

    Forex trades from Sunday 17:00 to Friday 17:00 New York. Under `NYSE` five sixths of its bars would lie outside
    sessions, under `24/7` every weekend would be a gap; either would make its quality scores a lie.

    Raises:
        InvalidInput: for forex.
    """
    asset_class = asset_class_of(symbol)
    if asset_class not in TRACKABLE:
        raise InvalidInput(
            f"Symbol was {symbol}, of class {asset_class.value}, which trades around the clock on weekdays and has no "
            f"calendar here; tracked can be {', '.join(item.value for item in TRACKABLE)}."
        )
    return asset_class
