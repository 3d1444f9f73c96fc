"""Reference data of a tape: its splits and its tickers, paged the way the vendor pages them."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from chandlery.market.symbols import AssetClass
from chandlery.sources.protocol import Split
from chandlery.sources.standin.queries import BadQueryError, read_cursor, read_limit
from chandlery.sources.tapes.tape import Tape, TapeListing

_MAX_LIMIT = 1000
_SPLITS_LIMIT = 10
_TICKERS_LIMIT = 100
_MARKETS = {AssetClass.FOREX: "fx"}
_US_MARKETS = frozenset({AssetClass.STOCKS, AssetClass.INDICES, AssetClass.OPTIONS})

Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class ReferencePage:
    """Rows of one page and the query of the next one, None at the end."""

    rows: list[Row]
    cursor: dict[str, object] | None


class Reference:
    """Splits and tickers of a tape as the vendor's rows."""

    def __init__(self, tape: Tape) -> None:
        self._tape = tape

    def splits(self, query: Mapping[str, str]) -> ReferencePage:
        """Return a page of splits; `ticker`, `order` (default desc by date) and `limit` (default 10) count.

        Raises:
            BadQueryError: for a limit or a cursor that is none.
        """
        asked = {**query, **read_cursor(query)}
        symbols = [asked["ticker"]] if "ticker" in asked else [listing.symbol for listing in self._tape.symbols()]
        splits = [split for symbol in symbols for split in self._tape.splits(symbol)]
        is_descending = asked.get("order", "desc") != "asc"
        splits.sort(key=lambda split: (split.execution_date, split.symbol), reverse=is_descending)
        return _page([_split_row(split) for split in splits], asked, default=_SPLITS_LIMIT, key=_split_key)

    def tickers(self, query: Mapping[str, str]) -> ReferencePage:
        """Return a page of tickers by name; `ticker`, `market`, `active` and `limit` (default 100) count.

        Everything on a tape is active, so `active=false` gives nothing.

        Raises:
            BadQueryError: for a limit or a cursor that is none.
        """
        asked = {**query, **read_cursor(query)}
        rows = [_ticker_row(listing) for listing in self._tape.symbols()]
        for parameter in ("ticker", "market"):
            rows = [row for row in rows if asked.get(parameter, row[parameter]) == row[parameter]]
        if asked.get("active", "true").lower() == "false":
            rows = []
        return _page(rows, asked, default=_TICKERS_LIMIT, key=lambda row: str(row["ticker"]))


def _page(rows: list[Row], asked: Mapping[str, str], *, default: int, key: Callable[[Row], str]) -> ReferencePage:
    limit = read_limit(asked, default=default, largest=_MAX_LIMIT)
    marker = asked.get("page_marker")
    keys = [key(row) for row in rows]
    if marker is not None and marker not in keys:
        raise BadQueryError(f"Could not parse the cursor: no row '{marker}'")
    first = 0 if marker is None else keys.index(marker) + 1
    page = rows[first : first + limit]
    if first + limit >= len(rows):
        return ReferencePage(page, None)
    kept = {name: value for name, value in asked.items() if name not in ("cursor", "apiKey")}
    return ReferencePage(page, {**kept, "limit": limit, "page_marker": key(page[-1])})


def _split_row(split: Split) -> Row:
    row: Row = {
        "execution_date": split.execution_date.isoformat(),
        "split_from": split.split_from,
        "split_to": split.split_to,
        "ticker": split.symbol,
    }
    return {"id": hashlib.blake2b(repr(sorted(row.items())).encode(), digest_size=16).hexdigest(), **row}


def _split_key(row: Row) -> str:
    return str(row["id"])


def _ticker_row(listing: TapeListing) -> Row:
    kind = listing.asset_class
    return {
        "ticker": listing.symbol,
        "name": listing.symbol,
        "market": _MARKETS.get(kind, kind.value),
        "locale": "us" if kind in _US_MARKETS else "global",
        "active": True,
        "currency_name": "usd",
        "list_date": listing.first_session.isoformat(),
        "delisted_utc": f"{listing.last_session.isoformat()}T00:00:00Z",
    }
