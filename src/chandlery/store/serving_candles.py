"""The question for candles: COPY BINARY, decoded into numpy columns without Python per row."""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Literal

import asyncpg
import numpy as np
from numpy.typing import NDArray

from chandlery.errors import Conflict, StoreError
from chandlery.market.timeframes import Timeframe
from chandlery.store.serving import Publication, current_publication, is_symbol, unknown_symbol
from chandlery.store.serving_literals import count_literal, float_literal, instant_literal, word_literal
from chandlery.store.serving_pools import NotPublished, ServingPools

Basis = Literal["minutes", "day"]
Order = Literal["asc", "desc"]

_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"
_SOURCE_BYTES = 32
_EPOCH_US = 946_684_800_000_000  # 2000-01-01, PostgreSQL's zero, in microseconds of Unix time
_EPOCH_DAYS = 10_957

# Each column: name, big-endian type, SQL of fixed width. A text is cut or padded to 32 bytes, so that
# every row has one length and the whole answer is one numpy record array.
_COLUMNS = (
    ("version", ">i8", "coalesce((select version from ops.publication where dataset = 'candles' and is_current), -1)"),
    ("ts", ">i8", "ts"),
    ("session", ">i4", "session"),
    ("open", ">f8", "open"),
    ("high", ">f8", "high"),
    ("low", ">f8", "low"),
    ("close", ">f8", "close"),
    ("volume", ">f8", "volume"),
    ("vwap", ">f8", "coalesce(vwap, 'NaN')"),
    ("trade_count", ">i8", "coalesce(trade_count, -1)"),
    ("bar_count", ">i4", "bar_count"),
    ("expected_count", ">i4", "expected_count"),
    ("is_final", "?", "is_final"),
    ("quality_score", ">f8", "coalesce(quality_score, 'NaN')"),
    (
        "source",
        f"S{_SOURCE_BYTES}",
        rf"substr(convert_to(source, 'UTF8') || '\x{'00' * _SOURCE_BYTES}'::bytea, 1, {_SOURCE_BYTES})",
    ),
)
_ROW = np.dtype(
    [("fields", ">i2"), *(pair for name, kind, _ in _COLUMNS for pair in ((f"_{name}", ">i4"), (name, kind)))]
)
_SELECTED = ", ".join(sql for _, _, sql in _COLUMNS)


@dataclass(frozen=True, slots=True, kw_only=True)
class CandleQuestion:
    """One range of one series: `start <= ts < end`, beyond `after` in the order asked for.

    With `min_quality`, candles without a score are left out as well.
    """

    symbol: str
    timeframe: Timeframe
    basis: Basis = "minutes"
    start: datetime | None = None
    end: datetime | None = None
    min_quality: float | None = None
    order: Order = "asc"
    after: datetime | None = None
    limit: int = 1000


@dataclass(frozen=True, slots=True, eq=False)
class CandleColumns:
    """Columns of equal length.

    `ts` datetime64[us] (open, UTC), `session` datetime64[D]; prices and volume float64; `vwap` and
    `quality_score` NaN and `trade_count` -1 where absent; `source_names[source_codes[i]]` is the source of row i.
    """

    ts: NDArray[np.datetime64]
    session: NDArray[np.datetime64]
    open: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    close: NDArray[np.float64]
    volume: NDArray[np.float64]
    vwap: NDArray[np.float64]
    trade_count: NDArray[np.int64]
    bar_count: NDArray[np.int32]
    expected_count: NDArray[np.int32]
    is_final: NDArray[np.bool_]
    quality_score: NDArray[np.float64]
    source_names: tuple[str, ...]
    source_codes: NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.ts)

    def head(self, count: int) -> "CandleColumns":
        """Return the first `count` rows."""
        cut = {field.name: getattr(self, field.name)[:count] for field in fields(self) if field.name != "source_names"}
        return CandleColumns(**cut, source_names=self.source_names)


@dataclass(frozen=True, slots=True, eq=False)
class CandleAnswer:
    """Candles and the version they belong to."""

    published: Publication
    columns: CandleColumns


async def read_candles(pools: ServingPools, question: CandleQuestion) -> CandleAnswer:
    """Return the candles asked for, all of one published version.

    Raises:
        NotPublished: candles have no current version yet.
        NotFound: the symbol is not published; a known symbol without candles in the range is an empty answer.
        Conflict: the version changed three times while reading.
    """
    return await pools.ask(lambda connection: _read(connection, question))


def candle_query(question: CandleQuestion) -> str:
    """Return the statement for COPY; every value in it went through `serving_literals`."""
    clauses = [
        f"symbol = {word_literal(question.symbol)}",
        f"timeframe = {word_literal(question.timeframe.value)}",
        f"basis = {word_literal(question.basis)}",
    ]
    if question.start is not None:
        clauses.append(f"ts >= {instant_literal(question.start)}")
    if question.end is not None:
        clauses.append(f"ts < {instant_literal(question.end)}")
    if question.after is not None:
        clauses.append(f"ts {'>' if question.order == 'asc' else '<'} {instant_literal(question.after)}")
    if question.min_quality is not None:
        clauses.append(f"quality_score >= {float_literal(question.min_quality)}")
    direction = "desc" if question.order == "desc" else "asc"
    return (
        f"select {_SELECTED} from serving.candles_v1 where {' and '.join(clauses)} "  # noqa: S608 - literals by serving_literals
        f"order by ts {direction} limit {count_literal(question.limit)}"
    )


async def _read(connection: asyncpg.Connection, question: CandleQuestion) -> CandleAnswer:
    statement = candle_query(question)
    for _ in range(3):
        published = await current_publication(connection, "candles")
        if published is None:
            raise NotPublished("Candles have no published version yet. Run `chandlery demo`.")
        version, columns = decode_candles(await _copied(connection, statement))
        if not len(columns) and not await is_symbol(connection, question.symbol):
            raise await unknown_symbol(connection, question.symbol)
        if version in {None, published.version}:
            return CandleAnswer(published, columns)
    raise Conflict("Candles were published three times while being read. Ask again.")


async def _copied(connection: asyncpg.Connection, statement: str) -> bytes:
    body = bytearray()

    async def collect(data: bytes) -> None:
        body.extend(data)

    await connection.copy_from_query(statement, output=collect, format="binary")
    return bytes(body)


def decode_candles(body: bytes) -> tuple[int | None, CandleColumns]:
    """Decode a COPY BINARY answer of `candle_query`; the version is None if there are no rows.

    Raises:
        StoreError: the bytes are not rows of the columns selected, for example because one was null.
    """
    rows, rest = divmod(len(body) - len(_HEADER) - len(_TRAILER), _ROW.itemsize)
    if rest or rows < 0 or not body.startswith(_HEADER) or not body.endswith(_TRAILER):
        raise StoreError(f"COPY of candles gave {len(body)} bytes that are not rows of {_ROW.itemsize}. Ask again.")
    table = np.frombuffer(body, _ROW, count=rows, offset=len(_HEADER))
    if (table["fields"] != len(_COLUMNS)).any():
        raise StoreError("COPY of candles gave rows of another width. Is serving.candles_v1 built by this version?")
    columns = {name: np.ascontiguousarray(table[name], table[name].dtype.newbyteorder("=")) for name, _, _ in _COLUMNS}
    versions = columns.pop("version")
    columns["ts"] = (columns["ts"] + _EPOCH_US).view("datetime64[us]")
    columns["session"] = (columns["session"].astype(np.int64) + _EPOCH_DAYS).view("datetime64[D]")
    names, codes = _dictionary(columns.pop("source"))
    return (
        int(versions[0]) if rows else None,
        CandleColumns(**columns, source_names=names, source_codes=codes),
    )


def _dictionary(sources: NDArray[np.bytes_]) -> tuple[tuple[str, ...], NDArray[np.intp]]:
    if len(sources) and (sources == sources[0]).all():
        distinct, codes = sources[:1], np.zeros(len(sources), np.intp)
    else:
        distinct, codes = np.unique(sources, return_inverse=True)
    return tuple(bytes(name).decode("utf-8", "replace") for name in distinct), codes
