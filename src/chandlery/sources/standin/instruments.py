"""Instruments of the holdings as the vendor's rows: the list, one in detail, and its ticker changes.

Two things are the stand-in's own: `list_date` stands in the list too, and `delisted_utc` of an instrument that is
still listed is its last session on the tape, which knows nothing after it.
"""

from collections.abc import Mapping
from datetime import date

from chandlery.market.symbols import AssetClass, asset_class_of
from chandlery.sources.protocol import TickerChange
from chandlery.sources.standin.answers import not_found
from chandlery.sources.standin.holdings import Holdings
from chandlery.sources.standin.paging import Listed, ReferencePage, Row, page_of, read_asked
from chandlery.sources.standin.queries import read_day
from chandlery.sources.tapes.tickers import TickerProfile

TICKER_COLUMNS = (
    "ticker",
    "name",
    "market",
    "locale",
    "primary_exchange",
    "type",
    "active",
    "currency_name",
    "cik",
    "composite_figi",
    "share_class_figi",
    "last_updated_utc",
    "list_date",
    "delisted_utc",
)
_MARKETS = {AssetClass.FOREX: "fx"}
_US_MARKETS = frozenset({AssetClass.STOCKS, AssetClass.INDICES, AssetClass.OPTIONS})
_EVENT = "ticker_change"


def _ticker_of(row: Row) -> str:
    return str(row["ticker"])


_TICKERS = Listed(("ticker", "market", "type", "cik"), "ticker", _ticker_of, 100, is_descending=False)


def ticker_page(holdings: Holdings, query: Mapping[str, str], *, today: date) -> ReferencePage:
    """Return a page of instruments by ticker; `date` gives those of a day, `active=false` the delisted ones.

    Raises:
        BadQueryError: for a limit, an order, a day or a cursor that is none.
    """
    asked = read_asked(query)
    day = read_day(asked["date"], name="date") if "date" in asked else None
    is_active = asked.get("active", "true").lower() != "false"
    ends = {listing.symbol: listing.last_session for listing in holdings.listings()}
    rows = []
    for profile in holdings.profiles():
        ticker = _ticker_on(profile, day) if is_active else _delisted_ticker(profile, day or today)
        if ticker is not None:
            rows.append(_row(profile, ticker, last_session=ends.get(profile.symbol), is_active=is_active))
    return page_of(rows, asked, _TICKERS)


def details(holdings: Holdings, ticker: str, query: Mapping[str, str]) -> Row:
    """Return the instrument that holds a ticker on the day asked for, else last.

    Raises:
        BadQueryError: for a day that is none.
        RefusedError: 404 if nobody does.
    """
    day = read_day(query["date"], name="date") if "date" in query else None
    ends = {listing.symbol: listing.last_session for listing in holdings.listings()}
    for profile in holdings.profiles():
        if ticker == (profile.symbol if day is None else profile.ticker_on(day)):
            is_active = profile.delisted_on is None or day is not None
            return _row(profile, ticker, last_session=ends.get(profile.symbol), is_active=is_active)
    raise not_found("Ticker not found.")


def events(holdings: Holdings, name: str, query: Mapping[str, str]) -> Row:
    """Return the tickers of the instrument that a ticker or a FIGI names now, newest first.

    Raises:
        RefusedError: 404 if there is no such instrument.
    """
    for profile in holdings.profiles():
        if name in (profile.symbol, profile.composite_figi):
            known = {"name": profile.name, "composite_figi": profile.composite_figi, "cik": profile.cik}
            listed = () if profile.listed_on is None else (TickerChange(profile.listed_on, profile.symbol),)
            changes = (profile.changes or listed) if _EVENT in query.get("types", _EVENT).split(",") else ()
            told = [_event(change) for change in reversed(changes)]
            return {**{key: value for key, value in known.items() if value is not None}, "events": told}
    raise not_found("Ticker not found.")


def _event(change: TickerChange) -> Row:
    # The specification calls the kind `event_type`, its own example and the recorded answers say `type`.
    return {
        "ticker_change": {"ticker": change.ticker},
        "type": _EVENT,
        "event_type": _EVENT,
        "date": change.day.isoformat(),
    }


def _ticker_on(profile: TickerProfile, day: date | None) -> str | None:
    if day is not None:
        return profile.ticker_on(day)
    return profile.symbol if profile.delisted_on is None else None


def _delisted_ticker(profile: TickerProfile, day: date) -> str | None:
    return profile.symbol if profile.delisted_on is not None and profile.delisted_on <= day else None


def _row(profile: TickerProfile, ticker: str, *, last_session: date | None, is_active: bool) -> Row:
    kind = asset_class_of(profile.symbol)
    end = profile.delisted_on or last_session
    optional = {
        "type": profile.kind,
        "primary_exchange": profile.primary_exchange,
        "cik": profile.cik,
        "composite_figi": profile.composite_figi,
        "share_class_figi": profile.share_class_figi,
        "list_date": None if profile.listed_on is None else profile.listed_on.isoformat(),
        "delisted_utc": None if end is None else f"{end.isoformat()}T00:00:00Z",
    }
    return {
        "ticker": ticker,
        "name": profile.name,
        "market": _MARKETS.get(kind, kind.value),
        "locale": "us" if kind in _US_MARKETS else "global",
        "active": is_active,
        "currency_name": "usd",
        **{name: value for name, value in optional.items() if value is not None},
    }
