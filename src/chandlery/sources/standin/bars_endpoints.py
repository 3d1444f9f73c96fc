"""Endpoints of bars: ranges, previous close, open-close, and the whole market in one call."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import polars as pl
from starlette.requests import Request
from starlette.responses import Response

from chandlery.market.timeframes import Timeframe
from chandlery.sources.sessions import local_midnight, zone_of
from chandlery.sources.standin.aggregates import CSV_COLUMNS, named_by_vendor, read_page, to_json
from chandlery.sources.standin.answers import csv_answer, json_answer, not_found, wants_csv
from chandlery.sources.standin.handlers import Handler, Site, next_url
from chandlery.sources.standin.market_days import day_of, last_day_before, market_day, outside_hours
from chandlery.sources.standin.queries import BarsQuery, read_bars_query, read_day

SOURCE_HEADER = "Chandlery-Source"
RANGE_PATH = "/v2/aggs/ticker/{ticker}/range/{multiplier}/{timespan}/{from}/{to}"
_OPEN_CLOSE_COLUMNS = ("from", "open", "high", "low", "close", "volume", "afterHours", "preMarket")


class BarsEndpoints:
    """Answers with bars of the holdings."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def routes(self) -> dict[str, Handler]:
        """Return path -> handler."""
        return {
            RANGE_PATH: self._range,
            "/v2/aggs/grouped/locale/us/market/stocks/{date}": self._grouped,
            "/v2/aggs/ticker/{ticker}/prev": self._previous,
            "/v1/open-close/{ticker}/{date}": self._open_close,
        }

    def _range(self, request: Request, request_id: str) -> Response:
        query, site = read_bars_query(request.path_params, request.query_params), self._site
        zone = ZoneInfo(zone_of(query.symbol))
        first, last = (datetime.fromtimestamp(t / 1000, UTC).astimezone(zone).date() for t in _ends(query))
        site.guard.check_span(query.symbol, first, last)
        until = site.guard.visible_end(query.symbol, query.timeframe)
        page = read_page(site.holdings, query, page_limit=site.page_limit, until=until)
        following = None if page.next_t is None else _next_range(request, query, page.next_t)
        body = {"ticker": query.symbol, **self._head(page.rows, request_id, is_adjusted=query.is_adjusted)}
        source = site.holdings.source(query.symbol, query.timeframe)
        return self._answer(request, body, page.rows, following=following, source=source)

    def _grouped(self, request: Request, request_id: str) -> Response:
        day = read_day(request.path_params["date"], name="date")
        is_adjusted = _is_adjusted(request)
        self._site.guard.check_span("", day, day)
        rows = market_day(self._site.holdings, day, is_adjusted=is_adjusted)
        until = self._site.guard.visible_end("", Timeframe.D1)
        if until is not None and local_midnight(day, "") >= until:
            rows = rows.clear()
        return self._answer(request, self._head(rows, request_id, is_adjusted=is_adjusted), rows)

    def _previous(self, request: Request, request_id: str) -> Response:
        symbol, is_adjusted = request.path_params["ticker"], _is_adjusted(request)
        today = self._site.now().astimezone(ZoneInfo(zone_of(symbol))).date()
        day = last_day_before(self._site.holdings, symbol, local_midnight(today, symbol))
        rows = pl.DataFrame()
        if day is not None:
            rows = day_of(self._site.holdings, symbol, day, is_adjusted=is_adjusted)
        body = {"ticker": symbol, **self._head(rows, request_id, is_adjusted=is_adjusted)}
        return self._answer(request, body, rows, source=self._site.holdings.source(symbol, Timeframe.D1))

    def _open_close(self, request: Request, request_id: str) -> Response:
        symbol, site = request.path_params["ticker"], self._site
        day = read_day(request.path_params["date"], name="date")
        site.guard.check_span(symbol, day, day)
        rows = day_of(site.holdings, symbol, day, is_adjusted=_is_adjusted(request))
        until = site.guard.visible_end(symbol, Timeframe.D1)
        if not rows.height or (until is not None and local_midnight(day, symbol) >= until):
            raise not_found("Data not found.", symbol=symbol, **{"from": day.isoformat()})
        bar: dict[str, Any] = rows.select("open", "high", "low", "close", "volume").to_dicts()[0]
        body = {"status": site.guard.status, "from": day.isoformat(), "symbol": symbol, **bar}
        body |= outside_hours(site.holdings, symbol, day)
        if not wants_csv(request):
            return json_answer({**body, "request_id": request_id})
        site.guard.check_csv()
        return csv_answer(pl.DataFrame([body]), _OPEN_CLOSE_COLUMNS)

    def _head(self, rows: pl.DataFrame, request_id: str, *, is_adjusted: bool) -> dict[str, object]:
        return {
            "queryCount": rows.height,
            "resultsCount": rows.height,
            "adjusted": is_adjusted,
            "status": self._site.guard.status,
            "request_id": request_id,
            "count": rows.height,
        }

    def _answer(
        self,
        request: Request,
        body: Mapping[str, object],
        rows: pl.DataFrame,
        *,
        following: str | None = None,
        source: str | None = None,
    ) -> Response:
        headers = {} if source is None else {SOURCE_HEADER: source}
        shown = named_by_vendor(rows) if rows.height else pl.DataFrame()
        if wants_csv(request):
            self._site.guard.check_csv()
            has_ticker = "T" in shown.columns or "symbol" in rows.columns
            return csv_answer(shown, CSV_COLUMNS[not has_ticker :], next_url=following, headers=headers)
        extra: dict[str, object] = {"results": orjson.Fragment(to_json(shown))} if rows.height else {}
        if following is not None:
            extra["next_url"] = following
        return json_answer({**body, **extra}, headers=headers)


def _ends(query: BarsQuery) -> tuple[int, int]:
    return query.start, query.end - 1


def _is_adjusted(request: Request) -> bool:
    return request.query_params.get("adjusted", "true").lower() != "false"


def _next_range(request: Request, query: BarsQuery, next_t: int) -> str:
    path = request.path_params
    start, end = (path["from"], next_t) if query.is_descending else (next_t, path["to"])
    prefix = f"/v2/aggs/ticker/{query.symbol}/range/{path['multiplier']}/{path['timespan']}/{start}/{end}"
    cursor = {
        "adjusted": str(query.is_adjusted).lower(),
        "limit": query.limit,
        "sort": "desc" if query.is_descending else "asc",
    }
    return next_url(request, prefix, cursor)
