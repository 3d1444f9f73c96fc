"""Literals for COPY and the decoding of its answer, against PostgreSQL and its documented wire format."""

import asyncio
import contextlib
import csv
import io
import struct
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import numpy as np
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chandlery.api.candle_formats import csv_rows
from chandlery.errors import Conflict, InvalidInput, StoreError
from chandlery.market.timeframes import Timeframe
from chandlery.store.serving_candles import CandleQuestion, candle_query, decode_candles, read_candles
from chandlery.store.serving_literals import count_literal, float_literal, instant_literal, word_literal
from chandlery.store.serving_pools import NotPublished

fuzz = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def reader(cluster: Any) -> Iterator[psycopg.Connection[Any]]:
    place = cluster.warehouse.database
    user, password = place.login("reader")
    login = {"host": place.host, "port": place.port, "dbname": place.name, "user": user, "password": password}
    with psycopg.connect(autocommit=True, **login) as connection:
        yield connection


def evaluated(reader: psycopg.Connection[Any], literal: str) -> Any:
    row = reader.execute(f"select {literal}".encode()).fetchone()
    assert row is not None
    return row[0]


@fuzz
@given(st.one_of(st.text(max_size=40), st.from_regex(r"[A-Za-z0-9.:_'\\;\- ]{0,34}", fullmatch=True)))
def test_word_is_refused_or_read_back_unchanged(reader: Any, text: str) -> None:
    try:
        literal = word_literal(text)
    except InvalidInput:
        assert (
            not text
            or len(text) > 32
            or any((sign not in "-.:_" and not sign.isalnum()) or not sign.isascii() for sign in text)
        )
    else:
        assert evaluated(reader, f"{literal}::text") == text


@fuzz
@given(
    st.datetimes(
        datetime(1, 1, 2),  # noqa: DTZ001 - hypothesis wants naive bounds
        datetime(9999, 12, 30),  # noqa: DTZ001 - hypothesis wants naive bounds
        timezones=st.sampled_from([UTC, timezone(timedelta(hours=-5)), timezone(timedelta(minutes=345))]),
    )
)
def test_instant_is_read_back_to_the_microsecond(reader: Any, instant: datetime) -> None:
    assert evaluated(reader, instant_literal(instant)) == instant


@fuzz
@given(st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False))
def test_float_is_read_back_to_the_same_double(reader: Any, number: float) -> None:
    assert evaluated(reader, float_literal(number)) == number


@pytest.mark.parametrize(
    "build",
    [
        lambda: instant_literal(datetime.fromisoformat("2024-01-02T14:30")),
        lambda: float_literal(float("nan")),
        lambda: float_literal(float("inf")),
        lambda: count_literal(-1),
        lambda: count_literal(1_000_001),
        lambda: word_literal("AAPL'"),
        lambda: word_literal("\u0131s"),
    ],
)
def test_value_outside_its_kind_is_refused(build: Any) -> None:
    with pytest.raises(InvalidInput):
        build()


def test_query_for_a_symbol_with_a_quote_is_refused() -> None:
    with pytest.raises(InvalidInput):
        candle_query(CandleQuestion(symbol="A' or 'a'='a", timeframe=Timeframe.H1))


# One row, written by hand from the format in PostgreSQL's documentation of COPY: signature, flags, extension
# length; then per row the count of fields and for each its length and big-endian value; -1 at the end.
ROW = {
    "version": struct.pack(">q", 4),
    "ts": struct.pack(
        ">q", (datetime(2024, 1, 2, 14, 30, tzinfo=UTC) - datetime(2000, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    ),
    "session": struct.pack(">i", (date(2024, 1, 2) - date(2000, 1, 1)).days),
    **{
        name: struct.pack(">d", value)
        for name, value in zip(("open", "high", "low", "close", "volume"), (1.0, 2.0, 0.5, 1.5, 9.0), strict=True)
    },
    "vwap": struct.pack(">d", float("nan")),
    "trade_count": struct.pack(">q", -1),
    "bar_count": struct.pack(">i", 3),
    "expected_count": struct.pack(">i", 5),
    "is_final": b"\x01",
    "quality_score": struct.pack(">d", 0.75),
    "source": b"wiki".ljust(32, b"\0"),
}


def body(*rows: dict[str, bytes | None]) -> bytes:
    parts = [b"PGCOPY\n\xff\r\n\0", struct.pack(">ii", 0, 0)]
    for row in rows:
        parts.append(struct.pack(">h", len(row)))
        parts += [struct.pack(">i", -1) if v is None else struct.pack(">i", len(v)) + v for v in row.values()]
    return b"".join([*parts, struct.pack(">h", -1)])


def test_row_of_the_documented_format_is_decoded() -> None:
    version, columns = decode_candles(body(ROW, {**ROW, "source": b"simulated".ljust(32, b"\0")}))
    assert version == 4
    assert columns.ts[0] == np.datetime64("2024-01-02T14:30:00")
    assert columns.session[0] == np.datetime64("2024-01-02")
    assert (columns.open[0], columns.high[0], columns.low[0], columns.close[0]) == (1.0, 2.0, 0.5, 1.5)
    assert np.isnan(columns.vwap[0])
    assert (columns.trade_count[0], columns.bar_count[0], columns.expected_count[0]) == (-1, 3, 5)
    assert (bool(columns.is_final[0]), columns.quality_score[0]) == (True, 0.75)
    assert [columns.source_names[code] for code in columns.source_codes] == ["wiki", "simulated"]


def test_no_rows_have_no_version() -> None:
    version, columns = decode_candles(body())
    assert (version, len(columns)) == (None, 0)


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        body(ROW)[:-3],
        body({**ROW, "open": None}),
        b"x" + body(ROW)[1:],
        body(ROW).replace(b"\x00\x0f", b"\x00\x0e", 1),
    ],
)
def test_bytes_of_another_shape_are_refused(broken: bytes) -> None:
    with pytest.raises(StoreError):
        decode_candles(broken)


class Republishing:
    """Stands in for pools and connection: candles whose publication moves between two statements."""

    def __init__(self, *versions: int | None) -> None:
        self.versions = list(versions)

    async def ask(self, question: Any) -> Any:
        return await question(self)

    async def fetchrow(self, *_: object) -> dict[str, Any] | None:
        version = self.versions.pop(0)
        facts = {"published_at": datetime(2024, 1, 5, tzinfo=UTC), "run_id": None, "code_version": "", "source": ""}
        return None if version is None else {"dataset": "candles", "version": version, **facts, "rows": 1}

    async def copy_from_query(self, _: str, *, output: Any, format: str) -> None:  # noqa: A002 - the driver's name
        assert format == "binary"
        for piece in (body(ROW)[:30], body(ROW)[30:]):
            await output(piece)


QUESTION = CandleQuestion(symbol="AAPL", timeframe=Timeframe.H1)


def test_rows_of_a_newer_version_are_read_again_with_their_own_publication() -> None:
    answer = asyncio.run(read_candles(Republishing(3, 4), QUESTION))  # type: ignore[arg-type]
    assert (answer.published.version, len(answer.columns)) == (4, 1)


def test_version_that_moves_three_times_is_a_conflict() -> None:
    with pytest.raises(Conflict):
        asyncio.run(read_candles(Republishing(1, 2, 3), QUESTION))  # type: ignore[arg-type]


def test_candles_without_a_publication_are_not_published() -> None:
    with pytest.raises(NotPublished):
        asyncio.run(read_candles(Republishing(None), QUESTION))  # type: ignore[arg-type]


def test_long_and_foreign_source_names_are_cut_to_32_bytes(client: Any, cluster: Any) -> None:
    cluster.run(
        "insert into serving.candles_v1 select 'AMZN', '15m', 'minutes', '2024-01-02T14:30Z'::timestamptz,"
        "'2024-01-02', 2, 'stocks', 1, 1, 1, 1, 1, 1, 1, 15, 15, true, 1, repeat('é', 20)"
    )
    with contextlib.closing(client.get("/v1/candles?symbol=AMZN&timeframe=15m")) as answer:
        assert answer.json()["sources"] == ["é" * 16]
        assert answer.headers["chandlery-source"] == "\\xe9" * 16


def test_csv_quotes_a_source_with_signs_of_its_own() -> None:
    _, columns = decode_candles(body({**ROW, "source": b'a,"b"'.ljust(32, b"\0")}))
    header, row = list(csv.reader(io.StringIO(csv_rows(columns).decode(), newline="")))
    assert dict(zip(header, row, strict=True))["source"] == 'a,"b"'


def test_csv_of_no_rows_is_the_header() -> None:
    assert csv_rows(decode_candles(body())[1]).decode().splitlines() == [
        "ts,session,open,high,low,close,volume,vwap,trade_count,bar_count,expected_count,is_final,quality_score,source"
    ]
