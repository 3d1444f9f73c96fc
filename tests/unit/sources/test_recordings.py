"""Every recorded answer of an endpoint we call is read by our client, its traps included; none is left out."""

import csv
import json
from collections.abc import Callable, Mapping
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import httpx
import pytest

from chandlery.errors import BadPayload, NotEntitled, RateLimited
from chandlery.market.symbols import AssetClass
from chandlery.market.timeframes import Timeframe
from chandlery.sources import MassiveSource

Build = Callable[..., Any]
Read = Callable[[MassiveSource], Any]

FOLDER = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "polygon"
ENDPOINTS = (
    "client_python/v2/aggs/ticker/*/range/**/*.json",
    "client_python/v2/aggs/grouped/locale/us/**/*.json",
    "client_python/v3/reference/splits*.json",
    "client_python/v3/reference/dividends*.json",
    "client_python/v3/reference/tickers*.json",
    "client_python/v3/reference/tickers/AAPL*.json",
    "client_python/vX/reference/tickers/*/events*.json",
    "client_python/v1/marketstatus/upcoming.json",
    "spec_examples/v2__aggs__ticker__*range__*",
    "spec_examples/v2__aggs__grouped__locale__us__*",
    "spec_examples/v3__reference__splits.*",
    "spec_examples/v3__reference__dividends.*",
    "spec_examples/v3__reference__tickers.*",
    "spec_examples/v3__reference__tickers___ticker_.*",
    "spec_examples/vX__reference__tickers___id___events.*",
    "spec_examples/v1__marketstatus__upcoming.*",
    "errors/*.json",
)
"""The endpoints `MassiveSource` calls; `open-close`, `prev` and grouped crypto and forex it does not."""

PYTHON, SPEC = "client_python/", "spec_examples/"
DAYS = PYTHON + "v2/aggs/ticker/AAPL/range/1/day/"
GROUPED = PYTHON + "v2/aggs/grouped/locale/us/market/stocks/2005-04-04&adjusted=true.json"
CURSOR = (
    "YWN0aXZlPXRydWUmZGF0ZT0yMDIyLTA0LTI3JmxpbWl0PTImb3JkZXI9YXNjJnBhZ2VfbWFya2VyPUFBJTdDZjEyMmJjYmY4YWQwNzRmZmJlMTZm"
    "NjkxOWQ0ZDc3NjZlMzA3MWNmNmU1Nzg3OGE0OGU1NjQ1YzQyM2U3NzJhOSZzb3J0PXRpY2tlcg"
)


def _spec_bars(kind: str) -> str:
    return f"{SPEC}v2__aggs__ticker___{kind}Ticker___range___multiplier____timespan____from____to_.200"


MALFORMED = _spec_bars("indices") + ".csv"
"""Its header names six columns, its rows have five fields: which one is missing cannot be known."""

BARS = {
    DAYS + "2005-04-01/2005-04-04.json": ("AAPL", date(2005, 4, 1), date(2005, 4, 5), 2),
    DAYS + "2005-04-02/2005-04-04.json": ("AAPL", date(2005, 4, 2), date(2005, 4, 5), 1),
    **{
        _spec_bars(kind) + suffix: (symbol, start, end, rows)
        for suffix in (".json", ".csv")
        for kind, symbol, start, end, rows in (
            ("stocks", "AAPL", date(2020, 1, 2), date(2020, 1, 4), 2),
            ("crypto", "X:BTCUSD", date(2020, 6, 1), date(2020, 6, 3), 2),
            ("forex", "C:EURUSD", date(2021, 7, 21), date(2021, 7, 23), 1),
            ("options", "O:RDFN211119C00025000", date(2021, 9, 23), date(2021, 9, 25), 2),
            ("indices", "I:NDX", date(2023, 3, 9), date(2023, 3, 11), 2),
        )
        if _spec_bars(kind) + suffix != MALFORMED
    },
}
"""File -> what was asked, and how many of its rows lie inside."""

REFERENCE: Mapping[str, tuple[Read, object]] = {
    PYTHON + "vX/reference/tickers/META/events&types=ticker_change.json": (
        lambda source: [(str(change.day), change.ticker) for change in source.fetch_ticker_changes("META")],
        [("2012-05-18", "FB"), ("2022-06-11", "META")],
    ),
    SPEC + "vX__reference__tickers___id___events.200.json": (
        lambda source: [(str(change.day), change.ticker) for change in source.fetch_ticker_changes("META")],
        [("2012-05-18", "FB"), ("2022-06-09", "META")],
    ),
    PYTHON + "v3/reference/tickers/AAPL.json": (
        lambda source: source.describe_instrument("AAPL").composite_figi,
        "BBG000B9XRY4",
    ),
    PYTHON + "v3/reference/tickers/AAPL&date=2020-10-01.json": (
        lambda source: source.describe_instrument("AAPL", date(2020, 10, 1)).cik,
        "0000320193",
    ),
    SPEC + "v3__reference__tickers___ticker_.200.json": (
        lambda source: source.describe_instrument("AAPL").first_session,
        date(1980, 12, 12),
    ),
    SPEC + "v3__reference__tickers___ticker_.200.csv": (
        lambda source: source.describe_instrument("AAPL").first_session,
        date(1980, 12, 12),
    ),
    PYTHON + "v1/marketstatus/upcoming.json": (
        lambda source: {holiday.name for holiday in source.fetch_holidays() if not holiday.is_closed},
        {"Thanksgiving"},
    ),
    SPEC + "v1__marketstatus__upcoming.200.json": (
        lambda source: [holiday.exchange for holiday in source.fetch_holidays()],
        ["NASDAQ", "NYSE", "OTC", "NASDAQ", "NYSE"],
    ),
    SPEC + "v3__reference__splits.200.json": (
        lambda source: [(str(split.execution_date), split.split_to) for split in source.fetch_splits("AAPL")],
        [("2005-02-28", 2), ("2020-08-31", 4)],
    ),
    SPEC + "v3__reference__splits.200.csv": (
        lambda source: [(str(split.execution_date), split.split_to) for split in source.fetch_splits("AAPL")],
        [("2005-02-28", 2), ("2020-08-31", 4)],
    ),
    **dict.fromkeys(
        (
            SPEC + "v3__reference__tickers.200.json",
            SPEC + "v3__reference__tickers.200.csv",
        ),
        (
            lambda source: [(item.symbol, item.composite_figi) for item in source.list_instruments()],
            [("A", "BBG000BWQYZ5")],
        ),
    ),
    PYTHON + "v3/reference/tickers.json": (
        lambda source: [item.symbol for item in source.list_instruments()][:2],
        ["A", "AA"],
    ),
    PYTHON + f"v3/reference/tickers&cursor={CURSOR}.json": (
        lambda source: [item.cik for item in source.list_instruments()],
        [None, "0001708646"],
    ),
}
"""File -> how it is read, and what its text says."""

MARKET_DAYS = {
    GROUPED: ["GIK"],
    SPEC + "v2__aggs__grouped__locale__us__market__stocks___date_.200.json": ["TANH", "VSAT"],
    SPEC + "v2__aggs__grouped__locale__us__market__stocks___date_.200.csv": ["TANH", "VSAT"],
}
"""File -> its symbols; `KIMpL` of the examples cannot be one."""

MANY_SYMBOLS = {PYTHON + "v3/reference/splits.json", PYTHON + "v3/reference/dividends.json"}
"""Recorded without a ticker in the question; ours always asks for one."""

ERRORS: Mapping[str, type[Exception] | None] = {
    "errors/200_delayed_status.json": None,
    "errors/200_empty_aggs_no_results_key.json": None,
    "errors/200_empty_aggs_results_list.json": None,
    "errors/200_empty_aggs_results_null.json": None,
    "errors/200_not_authorized_body.json": NotEntitled,
    "errors/401_no_key.json": NotEntitled,
    "errors/401_unknown_key.json": NotEntitled,
    "errors/403_error_variant.json": NotEntitled,
    "errors/403_not_authorized_message.json": NotEntitled,
    "errors/403_timeframe.json": NotEntitled,
    "errors/429_rate.json": RateLimited,
}

pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="recorded data lie beside the checkout in shared/data and are absent here"
)


def _answer(name: str, **changes: object) -> httpx.Response:
    path = FOLDER / name
    if path.suffix == ".csv":
        return httpx.Response(200, content=path.read_bytes(), headers={"content-type": "text/csv"})
    body = json.loads(path.read_text(encoding="utf-8"))
    # The page a recorded `next_url` promises was recorded once only: `test_massive` follows that one.
    return httpx.Response(200, json=body | {"next_url": None} | changes if isinstance(body, dict) else body)


def _nothing_more(name: str) -> httpx.Response:
    return httpx.Response(200, json={"status": "OK", "results": []} | _echo(name))


def _echo(name: str) -> dict[str, object]:
    return {"ticker": BARS[name][0]} if name in BARS else {}


def test_no_recorded_answer_of_these_endpoints_is_left_out() -> None:
    found = {path.relative_to(FOLDER).as_posix() for pattern in ENDPOINTS for path in FOLDER.glob(pattern)}
    found -= {PYTHON + "v3/reference/tickers/types.json"}
    assert found == {*BARS, *REFERENCE, *MARKET_DAYS, *MANY_SYMBOLS, *ERRORS, MALFORMED}
    assert len(found) == 42


@pytest.mark.parametrize("name", BARS)
def test_recorded_bars_are_read_value_by_value(build: Build, name: str) -> None:
    symbol, start, end, rows = BARS[name]
    changes = {} if symbol.startswith("I:") else {"adjusted": False}
    source = build(_answer(name, **changes), _nothing_more(name)).source
    batch = source.fetch_bars(symbol, Timeframe.D1, start, end)
    assert batch.bars.height == rows
    texts = _rows_of(name)[-rows:]
    for row, bar in zip(texts, batch.bars.iter_rows(named=True), strict=True):
        assert bar["ts"].timestamp() * 1000 == int(row["t"])
        fields = (("open", "o"), ("high", "h"), ("low", "l"), ("close", "c"), ("volume", "v"), ("vwap", "vw"))
        assert {name: bar[name] for name, _ in fields} == {name: _float(row.get(key)) for name, key in fields}
        assert bar["trade_count"] == (int(row["n"]) if "n" in row else None)
    assert batch.dropped == len(_rows_of(name)) - rows


def _rows_of(name: str) -> list[dict[str, Any]]:
    text = (FOLDER / name).read_text(encoding="utf-8")
    if not name.endswith(".csv"):
        return list(json.loads(text)["results"])
    return list(csv.DictReader(text.splitlines()))


def _float(value: object) -> float | None:
    return None if value is None else float(str(value))


@pytest.mark.parametrize("name", [name for name in BARS if name.endswith(".json") and "indices" not in name])
def test_recorded_bars_as_they_stand_are_adjusted_and_refused(build: Build, name: str) -> None:
    symbol, start, end, _ = BARS[name]
    with pytest.raises(BadPayload, match="adjusted=false and says True"):
        build(_answer(name), _nothing_more(name)).source.fetch_bars(symbol, Timeframe.D1, start, end)


def test_recorded_csv_with_fewer_fields_than_columns_is_refused(build: Build) -> None:
    with pytest.raises(BadPayload, match="no whole CSV"):
        build(_answer(MALFORMED)).source.fetch_bars("I:NDX", Timeframe.D1, date(2023, 3, 9), date(2023, 3, 11))


@pytest.mark.parametrize("name", MARKET_DAYS)
def test_recorded_market_days_are_read_for_their_own_day_only(build: Build, name: str) -> None:
    source = build(_answer(name, adjusted=False)).source
    day = source.fetch_market_day(date(2020, 10, 14))
    assert day.bars["symbol"].to_list() == MARKET_DAYS[name]
    assert day.dropped == len(_rows_of(name)) - day.bars.height
    with pytest.raises(BadPayload, match="another day"):
        source.fetch_market_day(date(2005, 4, 4))


@pytest.mark.parametrize("name", REFERENCE)
def test_recorded_reference_data_are_read(build: Build, name: str) -> None:
    read, expected = REFERENCE[name]
    assert read(build(_answer(name), _nothing_more(name)).source) == expected


@pytest.mark.parametrize("symbol", sorted({"SHOP", "BRW", "CIG.C"}))
def test_recorded_splits_are_delivered_as_they_are(build: Build, symbol: str) -> None:
    rows = [row for row in _rows_of(PYTHON + "v3/reference/splits.json") if row["ticker"] == symbol]
    splits = build(_answer(PYTHON + "v3/reference/splits.json", results=rows)).source.fetch_splits(symbol)
    assert {(str(split.execution_date), Fraction(split.split_to, split.split_from)) for split in splits} == {
        (row["execution_date"], Fraction(str(row["split_to"])) / Fraction(str(row["split_from"]))) for row in rows
    }
    assert len(splits) == len(rows)


@pytest.mark.parametrize("kind", ["splits", "dividends"])
def test_every_row_recorded_for_many_symbols_is_read(build: Build, kind: str) -> None:
    name = f"{PYTHON}v3/reference/{kind}.json"
    rows = _rows_of(name)
    read = 0
    for symbol in sorted({row["ticker"] for row in rows}):
        own = [row for row in rows if row["ticker"] == symbol]
        source = build(_answer(name, results=own, next_url=None)).source
        read += len(getattr(source, f"fetch_{kind}")(symbol))
    assert read == len(rows)


@pytest.mark.parametrize("kind", ["splits", "dividends"])
def test_rows_of_other_symbols_than_asked_for_are_refused(build: Build, kind: str) -> None:
    source = build(_answer(f"{PYTHON}v3/reference/{kind}.json")).source
    with pytest.raises(BadPayload, match="was asked for AAPL and holds"):
        getattr(source, f"fetch_{kind}")("AAPL")


@pytest.mark.parametrize("name", ERRORS)
def test_recorded_refusals_and_empty_answers_end_as_they_should(build: Build, name: str) -> None:
    row = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    source = build(httpx.Response(row["http_status"], json=row["body"]), retries=1).source
    error = ERRORS[name]
    if error is not None:
        with pytest.raises(error):
            source.fetch_bars("AAPL", Timeframe.D1, date(2024, 1, 2), date(2024, 1, 3))
    else:
        assert source.fetch_bars("AAPL", Timeframe.D1, date(2024, 1, 2), date(2024, 1, 3)).bars.is_empty()


def test_listings_name_their_class(build: Build) -> None:
    source = build(_answer(PYTHON + "v3/reference/tickers.json"), _nothing_more("")).source
    assert {item.asset_class for item in source.list_instruments()} == {AssetClass.STOCKS}
