"""Corporate actions of the holdings as the vendor's rows: splits and dividends."""

import hashlib
from collections.abc import Mapping

from chandlery.sources.protocol import Dividend, Split
from chandlery.sources.standin.holdings import Holdings
from chandlery.sources.standin.paging import Listed, ReferencePage, Row, page_of, read_asked

SPLIT_COLUMNS = ("ticker", "execution_date", "split_from", "split_to")
DIVIDEND_COLUMNS = (
    "ticker",
    "cash_amount",
    "currency",
    "declaration_date",
    "dividend_type",
    "ex_dividend_date",
    "frequency",
    "pay_date",
    "record_date",
)
# The vendor's word for a dividend without a rhythm; a tape does not know any.
_NO_RHYTHM = 0


def _id_of(row: Row) -> str:
    return str(row["id"])


_SPLITS = Listed(("ticker", "execution_date"), "execution_date", _id_of, 10, is_descending=True)
_DIVIDENDS = Listed(("ticker", "ex_dividend_date"), "ex_dividend_date", _id_of, 10, is_descending=True)


def split_page(holdings: Holdings, query: Mapping[str, str]) -> ReferencePage:
    """Return a page of splits, newest first, 10 rows unless another limit is asked for.

    Raises:
        BadQueryError: for a limit, an order or a cursor that is none.
    """
    asked = read_asked(query)
    rows = [_split_row(split) for symbol in _symbols(holdings, asked) for split in holdings.splits(symbol)]
    return page_of(rows, asked, _SPLITS)


def dividend_page(holdings: Holdings, query: Mapping[str, str]) -> ReferencePage:
    """Return a page of dividends, newest first, 10 rows unless another limit is asked for.

    Raises:
        BadQueryError: for a limit, an order or a cursor that is none.
    """
    asked = read_asked(query)
    rows = [_dividend_row(paid) for symbol in _symbols(holdings, asked) for paid in holdings.dividends(symbol)]
    return page_of(rows, asked, _DIVIDENDS)


def _symbols(holdings: Holdings, asked: Mapping[str, str]) -> list[str]:
    return [asked["ticker"]] if "ticker" in asked else [listing.symbol for listing in holdings.listings()]


def _split_row(split: Split) -> Row:
    return _with_id(
        {
            "execution_date": split.execution_date.isoformat(),
            "split_from": split.split_from,
            "split_to": split.split_to,
            "ticker": split.symbol,
        }
    )


def _dividend_row(dividend: Dividend) -> Row:
    days = {
        "declaration_date": dividend.declaration_date,
        "record_date": dividend.record_date,
        "pay_date": dividend.pay_date,
    }
    return _with_id(
        {
            # The shortest text of the float is the printed decimal again.
            "cash_amount": float(dividend.cash_amount),
            "currency": dividend.currency,
            **{name: day.isoformat() for name, day in days.items() if day is not None},
            "dividend_type": dividend.kind,
            "ex_dividend_date": dividend.ex_dividend_date.isoformat(),
            "frequency": _NO_RHYTHM if dividend.frequency is None else dividend.frequency,
            "ticker": dividend.symbol,
        }
    )


def _with_id(row: Row) -> Row:
    return {"id": hashlib.blake2b(repr(sorted(row.items())).encode(), digest_size=16).hexdigest(), **row}
