"""Tickers of a tape: names, identifiers and former tickers, from an optional `tickers.json`.

```json
{"instruments": [{"ticker": "META", "name": "Meta Platforms, Inc.", "composite_figi": "BBG000MM2P62",
                  "listed_on": "2012-05-18",
                  "changes": [{"day": "2012-05-18", "ticker": "FB"}, {"day": "2022-06-09", "ticker": "META"}]}]}
```

`ticker` is the last one held. All else is optional; one ticker may belong to several instruments, one after another.
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from chandlery.errors import BadTape
from chandlery.market.symbols import SYMBOL_PATTERN
from chandlery.sources.protocol import TickerChange

TICKERS_FILE = "tickers.json"


@dataclass(frozen=True, slots=True)
class TickerProfile:
    """What a tape says of one instrument."""

    symbol: str
    """The ticker held last."""
    name: str
    listed_on: date | None = None
    delisted_on: date | None = None
    """First day without it; None while it is listed."""
    composite_figi: str | None = None
    share_class_figi: str | None = None
    cik: str | None = None
    primary_exchange: str | None = None
    kind: str | None = None
    """The vendor's type: `CS` common stock, `ETF`, ..."""
    changes: tuple[TickerChange, ...] = ()
    """Ascending by day; empty if the ticker never changed."""

    def ticker_on(self, day: date) -> str | None:
        """Return the ticker the instrument holds on a day, None before its listing and after its end."""
        if (self.listed_on and day < self.listed_on) or (self.delisted_on and day >= self.delisted_on):
            return None
        if not self.changes:
            return self.symbol
        held = [change.ticker for change in self.changes if change.day <= day]
        return held[-1] if held else None


class _Change(BaseModel):
    model_config = ConfigDict(extra="forbid")
    day: date
    ticker: str


class _Instrument(BaseModel):
    model_config = ConfigDict(extra="forbid")
    ticker: str
    name: str | None = None
    listed_on: date | None = None
    delisted_on: date | None = None
    composite_figi: str | None = None
    share_class_figi: str | None = None
    cik: str | None = None
    primary_exchange: str | None = None
    kind: str | None = None
    changes: tuple[_Change, ...] = ()


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")
    instruments: tuple[_Instrument, ...]


def read_profiles(folder: Path) -> tuple[TickerProfile, ...]:
    """Return the instruments of `tickers.json`, in its order; none if there is no such file.

    Raises:
        BadTape: if the file is not laid out as documented, a ticker cannot be a symbol, the last change does
            not lead to `ticker`, or two instruments hold one ticker on one day.
    """
    path = folder / TICKERS_FILE
    if not path.is_file():
        return ()
    try:
        rows = _File.model_validate_json(path.read_bytes()).instruments
    except (ValidationError, OSError) as error:
        raise BadTape(f"{path} was read as the tickers of a tape; {error}. See the how-to on tapes.") from error
    profiles = tuple(_profile(path, row) for row in rows)
    _check_holders(path, profiles)
    return profiles


def _profile(path: Path, row: _Instrument) -> TickerProfile:
    changes = tuple(sorted((TickerChange(change.day, change.ticker) for change in row.changes), key=_day_of))
    strange = [text for text in (row.ticker, *(change.ticker for change in changes)) if not _is_symbol(text)]
    if strange:
        raise BadTape(f"{path} has the ticker {strange[0]!r}; write it as the vendor does (AAPL, X:BTCUSD).")
    if changes and changes[-1].ticker != row.ticker:
        raise BadTape(
            f"{path} says that {row.ticker} became {changes[-1].ticker} on {changes[-1].day}; `ticker` is the last one."
        )
    own = row.model_dump(exclude={"ticker", "name", "changes"})
    listed = row.listed_on or (changes[0].day if changes else None)
    return TickerProfile(
        **{**own, "listed_on": listed}, symbol=row.ticker, name=row.name or row.ticker, changes=changes
    )


def _check_holders(path: Path, profiles: tuple[TickerProfile, ...]) -> None:
    # Who holds a ticker changes only on these days, so no other day has to be looked at.
    days = {date.min, *(day for profile in profiles for day in (profile.listed_on, profile.delisted_on) if day)}
    days |= {change.day for profile in profiles for change in profile.changes}
    for day in sorted(days):
        held = [ticker for profile in profiles if (ticker := profile.ticker_on(day)) is not None]
        doubled = sorted({ticker for ticker in held if held.count(ticker) > 1})
        if doubled:
            raise BadTape(f"{path} gives {doubled[0]} to two instruments on {day}; end one by delisted_on or a change.")


def _is_symbol(text: str) -> bool:
    return SYMBOL_PATTERN.fullmatch(text) is not None


def _day_of(change: TickerChange) -> date:
    return change.day
