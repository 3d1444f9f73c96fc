"""Reference rows: splits, dividends, listings, ticker changes and holidays as the protocol's values."""

from collections.abc import Mapping

from chandlery.errors import BadPayload
from chandlery.log import get_logger
from chandlery.market.symbols import SYMBOL_PATTERN, AssetClass
from chandlery.sources._fields import (
    Row,
    cash_of,
    check_ticker,
    day_of,
    optional_count,
    optional_day,
    optional_instant,
    optional_text,
    shares_of,
    text_of,
)
from chandlery.sources._pages import Endpoint
from chandlery.sources.protocol import Dividend, Holiday, Listing, Split, TickerChange

_log = get_logger(__name__)

MAX_REFERENCE_ROWS = 1000
SPLITS = Endpoint("splits", frozenset({"id", "ticker", "execution_date", "split_from", "split_to"}), MAX_REFERENCE_ROWS)
DIVIDENDS = Endpoint(
    "dividends",
    frozenset(
        {
            *("id", "ticker", "cash_amount", "currency", "dividend_type", "frequency"),
            *("declaration_date", "ex_dividend_date", "pay_date", "record_date"),
        }
    ),
    MAX_REFERENCE_ROWS,
)
TICKERS = Endpoint(
    "tickers",
    frozenset(
        {
            *("ticker", "name", "market", "locale", "primary_exchange", "type", "active", "last_updated_utc", "cik"),
            *("composite_figi", "share_class_figi", "delisted_utc", "list_date", "currency_name", "currency_symbol"),
            *("base_currency_name", "base_currency_symbol"),
        }
    ),
    MAX_REFERENCE_ROWS,
)

_LARGEST_DENOMINATOR = 10_000
_USUAL_CURRENCY = "USD"
"""Rows recorded before 2022 have no currency; the endpoint covers what is listed in the United States."""
_MARKETS = {market.value: market for market in AssetClass} | {"fx": AssetClass.FOREX, "otc": AssetClass.STOCKS}


def split_of(place: str, row: Row, symbol: str) -> Split:
    """Return a split; a ratio of fractions becomes one of whole numbers.

    Raises:
        BadPayload: for another ticker or a malformed field.
    """
    check_ticker(place, row, symbol)
    day = day_of(place, row, "execution_date")
    shares_from, shares_to = shares_of(place, row, "split_from"), shares_of(place, row, "split_to")
    if shares_from.denominator == shares_to.denominator == 1:
        return Split(symbol, day, shares_from.numerator, shares_to.numerator)
    ratio = (shares_to / shares_from).limit_denominator(_LARGEST_DENOMINATOR)
    if ratio == 0:
        raise BadPayload(
            f"{place} has a split of {shares_from} into {shares_to}, which is no ratio; nothing was stored."
        )
    return Split(symbol, day, split_from=ratio.denominator, split_to=ratio.numerator)


def dividend_of(place: str, row: Row, symbol: str) -> Dividend:
    """Return a dividend.

    Raises:
        BadPayload: for another ticker or a malformed field.
    """
    check_ticker(place, row, symbol)
    return Dividend(
        symbol=symbol,
        ex_dividend_date=day_of(place, row, "ex_dividend_date"),
        cash_amount=cash_of(place, row, "cash_amount"),
        currency=(optional_text(place, row, "currency") or _USUAL_CURRENCY).upper(),
        kind=text_of(place, row, "dividend_type"),
        declaration_date=optional_day(place, row, "declaration_date"),
        record_date=optional_day(place, row, "record_date"),
        pay_date=optional_day(place, row, "pay_date"),
        frequency=optional_count(place, row, "frequency"),
    )


def listing_of(place: str, row: Row, symbol: str, *, market: AssetClass | None = None) -> Listing:
    """Return a listing; without `market` the row must name a known one.

    Raises:
        BadPayload: for a malformed field.
    """
    named = market or _MARKETS.get(text_of(place, row, "market"))
    if named is None:
        raise BadPayload(f"{place} names the market {row.get('market')!r}, which is not known; nothing was stored.")
    return Listing(
        symbol=symbol,
        name=optional_text(place, row, "name") or symbol,
        asset_class=named,
        first_session=optional_day(place, row, "list_date"),
        last_session=optional_day(place, row, "delisted_utc"),
        composite_figi=optional_text(place, row, "composite_figi"),
        share_class_figi=optional_text(place, row, "share_class_figi"),
        cik=optional_text(place, row, "cik"),
        is_active=row.get("active") is not False,
    )


def ticker_change_of(place: str, event: Row) -> TickerChange | None:
    """Return a ticker change; None for an event of another kind or a ticker that cannot be a symbol.

    Raises:
        BadPayload: for a malformed field.
    """
    change = event.get("ticker_change")
    if not isinstance(change, Mapping):
        return None
    ticker = text_of(place, change, "ticker")
    if not SYMBOL_PATTERN.fullmatch(ticker):
        _log.warning("ticker_change_skipped", ticker=ticker[:100])
        return None
    return TickerChange(day_of(place, event, "date"), ticker)


def holiday_of(place: str, row: Row) -> Holiday | None:
    """Return a closure or an early close; None for a status that is neither.

    Raises:
        BadPayload: for a malformed field.
    """
    status = text_of(place, row, "status")
    if status not in ("closed", "early-close"):
        _log.warning("holiday_skipped", status=status[:100], date=str(row.get("date"))[:100])
        return None
    return Holiday(
        exchange=text_of(place, row, "exchange"),
        day=day_of(place, row, "date"),
        name=optional_text(place, row, "name") or "",
        is_closed=status == "closed",
        open=optional_instant(place, row, "open"),
        close=optional_instant(place, row, "close"),
    )
