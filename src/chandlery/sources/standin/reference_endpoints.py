"""Endpoints of reference data: splits, dividends, tickers, ticker details and events, market status."""

from collections.abc import Sequence

import polars as pl
from starlette.requests import Request
from starlette.responses import Response

from chandlery.market.timeframes import Timeframe
from chandlery.sources.standin.actions import DIVIDEND_COLUMNS, SPLIT_COLUMNS, dividend_page, split_page
from chandlery.sources.standin.answers import csv_answer, json_answer, wants_csv
from chandlery.sources.standin.bars_endpoints import SOURCE_HEADER
from chandlery.sources.standin.handlers import Handler, Site, next_url
from chandlery.sources.standin.instruments import TICKER_COLUMNS, details, events, ticker_page
from chandlery.sources.standin.market_status import market_now, upcoming
from chandlery.sources.standin.paging import ReferencePage


class ReferenceEndpoints:
    """Answers with reference data of the holdings and the calendar."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def routes(self) -> dict[str, Handler]:
        """Return path -> handler."""
        return {
            "/v3/reference/splits": self._splits,
            "/v3/reference/dividends": self._dividends,
            "/v3/reference/tickers": self._tickers,
            "/v3/reference/tickers/{ticker}": self._details,
            "/vX/reference/tickers/{id}/events": self._events,
            "/v1/marketstatus/now": self._now,
            "/v1/marketstatus/upcoming": self._upcoming,
        }

    def _splits(self, request: Request, request_id: str) -> Response:
        page = split_page(self._site.holdings, request.query_params)
        return self._published(request, self._listed(request, request_id, page, SPLIT_COLUMNS))

    def _dividends(self, request: Request, request_id: str) -> Response:
        page = dividend_page(self._site.holdings, request.query_params)
        return self._published(request, self._listed(request, request_id, page, DIVIDEND_COLUMNS))

    def _published(self, request: Request, answer: Response) -> Response:
        """Say who published the day file that the actions of one ticker come from."""
        ticker = request.query_params.get("ticker")
        if ticker:
            answer.headers[SOURCE_HEADER] = self._site.holdings.source(ticker, Timeframe.D1)
        return answer

    def _tickers(self, request: Request, request_id: str) -> Response:
        page = ticker_page(self._site.holdings, request.query_params, today=self._site.now().date())
        return self._listed(request, request_id, page, TICKER_COLUMNS)

    def _details(self, request: Request, request_id: str) -> Response:
        row = details(self._site.holdings, request.path_params["ticker"], request.query_params)
        if wants_csv(request):
            self._site.guard.check_csv()
            return csv_answer(pl.DataFrame([row]), TICKER_COLUMNS)
        return json_answer({"results": row, "status": "OK", "request_id": request_id})

    def _events(self, request: Request, request_id: str) -> Response:
        found = events(self._site.holdings, request.path_params["id"], request.query_params)
        return json_answer({"results": found, "status": "OK", "request_id": request_id})

    def _now(self, _request: Request, _request_id: str) -> Response:
        return json_answer(market_now(self._site.now()))

    def _upcoming(self, _request: Request, _request_id: str) -> Response:
        return json_answer(upcoming(self._site.now()))

    def _listed(self, request: Request, request_id: str, page: ReferencePage, columns: Sequence[str]) -> Response:
        following = None if page.cursor is None else next_url(request, request.url.path, page.cursor)
        if wants_csv(request):
            self._site.guard.check_csv()
            # Numbers of shares are floats in the vendor's CSV, whole in its JSON.
            rows = pl.DataFrame(page.rows, infer_schema_length=None).with_columns(
                pl.col("^split_(from|to)$").cast(pl.Float64)
            )
            return csv_answer(rows, columns, next_url=following)
        body: dict[str, object] = {
            "results": page.rows,
            "status": "OK",
            "request_id": request_id,
            "count": len(page.rows),
        }
        return json_answer(body if following is None else {**body, "next_url": following})
