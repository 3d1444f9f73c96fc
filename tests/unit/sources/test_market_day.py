"""Grouped daily: the session comes from the request, once every row is known to belong to it."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest

from chandlery.errors import BadPayload
from chandlery.market.bars import BAR_SCHEMA

Build = Callable[..., Any]

DAY = date(2020, 10, 14)
CLOSE = 1_602_705_600_000
"""2020-10-14 16:00 New York, summer time: the END of the window, as recorded."""


def _row(ticker: object, **values: object) -> dict[str, object]:
    return {"T": ticker, "t": CLOSE, "o": 10.0, "h": 12.0, "l": 9.0, "c": 11.0, "v": 100.0, "vw": 10.5, "n": 3} | values


def _answer(*rows: object, **body: object) -> httpx.Response:
    return httpx.Response(
        200, json={"status": "OK", "adjusted": False, "request_id": "r", "results": list(rows)} | body
    )


def _recorded(data: Path, **changes: object) -> httpx.Response:
    folder = data / "polygon/client_python/v2/aggs/grouped/locale/us/market/stocks"
    (path,) = folder.glob("2005-04-04*.json")
    return httpx.Response(200, json=json.loads(path.read_text(encoding="utf-8")) | changes)


def test_recorded_rows_lie_at_the_midnight_of_the_session_asked_for(build: Build, data: Path) -> None:
    bench = build(_recorded(data, adjusted=False))
    day = bench.source.fetch_market_day(DAY)
    assert day.bars.schema == pl.Schema({"symbol": pl.String, **BAR_SCHEMA})
    assert day.bars.row(0) == (
        "GIK",
        datetime(2020, 10, 14, 4, tzinfo=UTC),
        *(9.99, 10.02, 9.9, 10.02, 895345.0, 9.9979, 96),
    )
    assert (day.session, day.source, day.attempts, day.dropped) == (DAY, "massive", 1, 0)
    assert day.request_ids == ("eae3ded2d6d43f978125b7a8a609fad9",)
    url = bench.exchange.requests[0].url
    assert (url.path, dict(url.params)) == (
        "/v2/aggs/grouped/locale/us/market/stocks/2020-10-14",
        {"adjusted": "false"},
    )


def test_recorded_rows_of_another_day_than_asked_for_are_a_bad_payload(build: Build, data: Path) -> None:
    with pytest.raises(BadPayload, match="asked for 2005-04-04 and has 1 rows of another day"):
        build(_recorded(data, adjusted=False)).source.fetch_market_day(date(2005, 4, 4))


def test_recorded_rows_that_are_adjusted_are_a_bad_payload(build: Build, data: Path) -> None:
    with pytest.raises(BadPayload, match="adjusted=false"):
        build(_recorded(data)).source.fetch_market_day(DAY)


@pytest.mark.parametrize("t", [CLOSE - 86_400_000, CLOSE + 86_400_000])
def test_one_row_of_another_day_refuses_the_whole_answer(build: Build, t: int) -> None:
    with pytest.raises(BadPayload, match="another day"):
        build(_answer(_row("A"), _row("B", t=t))).source.fetch_market_day(DAY)


def test_garbage_tickers_are_dropped_and_counted_and_the_rest_ascends(build: Build) -> None:
    rows = [_row("MSFT"), _row("KIMpL"), _row("ZZ ?!", c=1e11), _row(""), _row("AAPL"), _row("BRK.B")]
    day = build(_answer(*rows)).source.fetch_market_day(DAY)
    assert day.bars["symbol"].to_list() == ["AAPL", "BRK.B", "MSFT"]
    assert day.dropped == 3


def test_equal_rows_collapse_and_rows_that_differ_stay_for_the_audit(build: Build) -> None:
    day = build(_answer(_row("A"), _row("A"), _row("B"), _row("B", c=11.5))).source.fetch_market_day(DAY)
    assert day.bars.select("symbol", "close").rows() == [("A", 11.0), ("B", 11.0), ("B", 11.5)]


def test_empty_day_is_asked_twice_and_is_an_empty_frame(build: Build) -> None:
    bench = build(_answer(), confirm_empty=True)
    day = bench.source.fetch_market_day(DAY)
    assert (day.bars.height, day.attempts, day.bars.schema) == (0, 2, pl.Schema({"symbol": pl.String, **BAR_SCHEMA}))


@pytest.mark.parametrize("row", [_row(7), _row(None), _row("A", t=None), _row("A", c="11")])
def test_malformed_row_is_a_bad_payload(build: Build, row: object) -> None:
    with pytest.raises(BadPayload):
        build(_answer(_row("A"), row)).source.fetch_market_day(DAY)
