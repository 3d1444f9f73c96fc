"""CSV answers: the columns and the order of the vendor's own examples."""

import io
import json
from pathlib import Path

import polars as pl
import pytest

from chandlery.sources.standin import Answered, ask, create_app
from chandlery.sources.tapes import Tape

CSV = {"Authorization": "Bearer any", "Accept": "text/csv"}


def _table(answer: Answered) -> pl.DataFrame:
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/csv")
    return pl.read_csv(io.BytesIO(answer.content))


@pytest.mark.parametrize(
    ("url", "example", "unknown"),
    [
        (
            "/v2/aggs/ticker/BA/range/1/day/1997-06-01/1997-06-30",
            "v2__aggs__ticker___stocksTicker___range___multiplier____timespan____from____to_",
            {"n", "vw"},
        ),
        ("/v2/aggs/ticker/BA/prev", "v2__aggs__ticker___stocksTicker___prev", {"vw"}),
        (
            "/v2/aggs/grouped/locale/us/market/stocks/2010-05-06",
            "v2__aggs__grouped__locale__us__market__stocks___date_",
            {"n", "vw"},
        ),
        ("/v1/open-close/SPY/2011-01-05", "v1__open-close___stocksTicker____date_", set()),
        ("/v3/reference/splits?ticker=BA", "v3__reference__splits", set()),
    ],
)
def test_columns_stand_in_the_order_of_the_vendors_example(
    recorded: Tape, data: Path, url: str, example: str, unknown: set[str]
) -> None:
    header = (data / f"polygon/spec_examples/{example}.200.csv").read_text(encoding="utf-8").splitlines()[0]
    table = _table(ask(create_app(recorded), url, headers=CSV))
    assert table.columns == [name for name in header.split(",") if name not in unknown]


def test_tickers_begin_with_the_columns_of_the_vendors_example(recorded: Tape, data: Path) -> None:
    header = (data / "polygon/spec_examples/v3__reference__tickers.200.csv").read_text(encoding="utf-8").splitlines()[0]
    table = _table(ask(create_app(recorded), "/v3/reference/tickers", headers=CSV))
    known = [name for name in header.split(",") if name in table.columns]
    assert table.columns[: len(known)] == known
    assert known == ["ticker", "name", "market", "locale", "active", "currency_name"]


def test_shares_and_volumes_are_floats_as_in_the_vendors_example(recorded: Tape) -> None:
    text = ask(create_app(recorded), "/v3/reference/splits?ticker=AAPL", headers=CSV).content.decode()
    assert text.splitlines()[1] == "AAPL,2005-02-28,1.0,2.0"


@pytest.mark.parametrize(
    "url",
    ["/v2/aggs/ticker/AAPL/range/1/minute/2016-04-15/2016-04-18?limit=200", "/v3/reference/dividends?ticker=GE"],
)
def test_csv_and_json_hold_the_same_rows_and_lead_to_the_same_next_page(recorded: Tape, url: str) -> None:
    app = create_app(recorded)
    body = json.loads(ask(app, url, headers={"Authorization": "Bearer any"}).content)
    answer = ask(app, url, headers=CSV)
    table = _table(answer)
    shown = pl.DataFrame(body["results"]).select(table.columns)
    assert shown.cast(pl.String).rows() == table.cast(shown.schema, strict=False).cast(pl.String).rows()
    assert answer.headers["link"] == f'<{body["next_url"]}>; rel="next"'


@pytest.mark.parametrize(
    "url", ["/v2/aggs/ticker/NONE/range/1/day/2000-01-01/2001-01-01", "/v3/reference/splits?ticker=NONE"]
)
def test_nothing_is_a_header_without_rows(recorded: Tape, url: str) -> None:
    assert _table(ask(create_app(recorded), url, headers=CSV)).height == 0


def test_json_stays_the_answer_for_whoever_accepts_anything(recorded: Tape) -> None:
    headers = {"Authorization": "Bearer any", "Accept": "*/*"}
    answer = ask(create_app(recorded), "/v3/reference/splits", headers=headers)
    assert answer.headers["content-type"] == "application/json"
