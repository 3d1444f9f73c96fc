"""Questions of the read API about publications, symbols and quality: one function each.

Every answer is frozen dataclasses; rows and connections stay here. Candles: `serving_candles.py`; studies and
reports: `serving_research.py`.
"""

from dataclasses import dataclass
from datetime import date, datetime
from difflib import get_close_matches
from typing import Generic, TypeVar

import asyncpg

from chandlery.errors import NotFound
from chandlery.store.serving_pools import ServingPools

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Publication:
    """The current version of one dataset."""

    dataset: str
    version: int
    published_at: datetime
    run_id: str | None
    code_version: str
    source: str
    rows: int


@dataclass(frozen=True, slots=True)
class Listing(Generic[T]):
    """Items in their documented order, of one snapshot; `published` is None before the first publication."""

    published: Publication | None
    items: tuple[T, ...]


@dataclass(frozen=True, slots=True)
class Readiness:
    """Schema version the warehouse stands at and what is published."""

    revision: str | None
    publications: tuple[Publication, ...]


@dataclass(frozen=True, slots=True)
class SymbolFacts:
    """One row of `serving.symbols_v1`; sessions and score are None while there are no bars."""

    symbol: str
    instrument_id: int
    asset_class: str
    calendar: str
    currency: str
    name: str | None
    first_session: date | None
    last_session: date | None
    bars_1m: int
    bars_1d: int
    mean_score: float | None
    source: str | None


@dataclass(frozen=True, slots=True)
class SessionQuality:
    """One row of `serving.quality_v1`; scores in [0, 1], None where nothing was expected."""

    symbol: str
    timeframe: str
    session: date
    instrument_id: int
    asset_class: str
    score: float | None
    validity: float | None
    completeness: float | None
    plausibility: float | None
    bar_count: int
    expected_count: int
    held_count: int
    findings: int
    source: str | None
    consistency: float | None
    timeliness: float | None


_PUBLICATIONS = "select dataset, version, published_at, run_id, code_version, source, rows from ops.publication"

_SYMBOLS = """
    select symbol, instrument_id, asset_class, calendar, currency, name, first_session, last_session,
        bars_1m, bars_1d, mean_score, source
    from serving.symbols_v1
"""

_QUALITY = """
    select symbol, timeframe, session, instrument_id, asset_class, score, validity, completeness, plausibility,
        bar_count, expected_count, held_count, findings, source, consistency, timeliness
    from serving.quality_v1
    where ($1::text is null or symbol = $1)
        and ($2::text is null or timeframe = $2)
        and ($3::date is null or session >= $3)
        and ($4::date is null or session < $4)
        and ($5::text is null or (symbol, timeframe, session) > ($5, $6::text, $7::date))
    order by symbol, timeframe, session
    limit $8
"""


async def read_readiness(pools: ServingPools) -> Readiness:
    """Return what `/readyz` compares: the schema revision and every current publication.

    Raises:
        DatabaseDown: no connection.
        NotMigrated: the version table does not exist.
    """

    async def question(connection: asyncpg.Connection) -> Readiness:
        revision = await connection.fetchval("select version_num from ops.alembic_version")
        rows = await connection.fetch(_PUBLICATIONS + " where is_current order by dataset")
        return Readiness(revision, tuple(Publication(**row) for row in rows))

    return await pools.snapshot(question)


async def read_publications(pools: ServingPools) -> tuple[Publication, ...]:
    """Return the current publication of every dataset, by name."""
    return (await read_readiness(pools)).publications


async def find_publication(pools: ServingPools, dataset: str) -> Publication | None:
    """Return the current publication of one dataset, None before the first."""
    return await pools.ask(lambda connection: current_publication(connection, dataset))


async def current_publication(connection: asyncpg.Connection, dataset: str) -> Publication | None:
    """Return the current publication of one dataset as this connection sees it."""
    row = await connection.fetchrow(_PUBLICATIONS + " where is_current and dataset = $1", dataset)
    return None if row is None else Publication(**row)


async def list_symbols(
    pools: ServingPools, *, asset_class: str | None, text: str | None, after: str | None, limit: int
) -> Listing[SymbolFacts]:
    """Return symbols above `after`, ascending; `text` is looked for in symbol and name, in any case."""
    query = (
        _SYMBOLS
        + """
    where ($1::text is null or asset_class = $1)
        and ($2::text is null or position(upper($2) in upper(symbol)) > 0
            or position(upper($2) in upper(coalesce(name, ''))) > 0)
        and ($3::text is null or symbol > $3)
    order by symbol
    limit $4
"""
    )

    async def question(connection: asyncpg.Connection) -> Listing[SymbolFacts]:
        rows = await connection.fetch(query, asset_class, text, after, limit)
        return Listing(await current_publication(connection, "symbols"), tuple(SymbolFacts(**row) for row in rows))

    return await pools.snapshot(question)


async def find_symbol(pools: ServingPools, symbol: str) -> Listing[SymbolFacts]:
    """Return one symbol as a listing of one.

    Raises:
        NotFound: it is not published; near matches are in the message.
    """

    async def question(connection: asyncpg.Connection) -> Listing[SymbolFacts]:
        row = await connection.fetchrow(_SYMBOLS + " where symbol = $1", symbol)
        if row is None:
            raise await unknown_symbol(connection, symbol)
        return Listing(await current_publication(connection, "symbols"), (SymbolFacts(**row),))

    return await pools.snapshot(question)


async def unknown_symbol(connection: asyncpg.Connection, symbol: str) -> NotFound:
    """Return the error for a symbol that is not published, naming at most five that look like it."""
    known = [row["symbol"] for row in await connection.fetch("select symbol from serving.symbols_v1 order by symbol")]
    near = get_close_matches(symbol, known, n=5, cutoff=0.5)
    hint = f"Near matches: {', '.join(near)}." if near else "GET /v1/symbols lists all of them."
    return NotFound(f"Symbol {symbol} was looked up among {len(known)} published symbols and not found. {hint}")


async def list_quality(
    pools: ServingPools,
    *,
    symbol: str | None,
    timeframe: str | None,
    start: date | None,
    end: date | None,
    after: tuple[str, str, date] | None,
    limit: int,
) -> Listing[SessionQuality]:
    """Return scores with `start <= session < end` by (symbol, timeframe, session), beginning above `after`.

    Raises:
        NotFound: a symbol was named that is not published.
    """

    async def question(connection: asyncpg.Connection) -> Listing[SessionQuality]:
        rows = await connection.fetch(_QUALITY, symbol, timeframe, start, end, *(after or (None, None, None)), limit)
        if not rows and symbol is not None and not await is_symbol(connection, symbol):
            raise await unknown_symbol(connection, symbol)
        return Listing(await current_publication(connection, "quality"), tuple(SessionQuality(**row) for row in rows))

    return await pools.snapshot(question)


async def is_symbol(connection: asyncpg.Connection, symbol: str) -> bool:
    """Return whether a symbol is published."""
    found: bool = await connection.fetchval("select exists (select from serving.symbols_v1 where symbol = $1)", symbol)
    return found
