"""Questions of the read API about studies and risk reports."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

import asyncpg
import orjson

from chandlery.errors import NotFound
from chandlery.store.serving import Listing, Publication, current_publication
from chandlery.store.serving_pools import ServingPools

Json = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Study:
    """One row of `serving.studies_v1`."""

    study_id: str
    strategy: str
    strategy_version: int
    symbol: str
    timeframe: str
    method: str
    objective: str
    trials: int
    seed: int
    bars: int
    first_ts: datetime
    last_ts: datetime
    best_params: Json
    metrics: Json
    verdict: str
    source: str
    definition_hash: str
    panel_id: str
    code_version: str
    run_id: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Equity:
    """The equity curve of a study beside its benchmark, ascending in `ts`, columns of equal length."""

    ts: tuple[datetime, ...]
    equity: tuple[float, ...]
    benchmark: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class StudyDetail:
    """A study with its curve."""

    published: Publication | None
    study: Study
    equity: Equity


@dataclass(frozen=True, slots=True)
class ReportSummary:
    """A risk report without its contents."""

    report_id: str
    portfolio: str
    as_of: date
    limit_state: str
    code_version: str
    run_id: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Report:
    """A risk report whole."""

    published: Publication | None
    summary: ReportSummary
    payload: Json
    html: str


_STUDIES = """
    select study_id, strategy, strategy_version, symbol, timeframe, method, objective, trials, seed, bars,
        first_ts, last_ts, best_params, metrics, verdict, source, definition_hash, panel_id, code_version, run_id,
        created_at
    from serving.studies_v1
"""

_REPORTS = "select report_id, portfolio, as_of, limit_state, code_version, run_id, created_at"


async def list_studies(
    pools: ServingPools,
    *,
    strategy: str | None,
    symbol: str | None,
    after: tuple[datetime, str] | None,
    limit: int,
) -> Listing[Study]:
    """Return studies, newest first by (created_at, study_id), beginning below `after`."""
    query = (
        _STUDIES
        + """
    where ($1::text is null or strategy = $1)
        and ($2::text is null or symbol = $2)
        and ($3::timestamptz is null or (created_at, study_id) < ($3, $4::text))
    order by created_at desc, study_id desc
    limit $5
"""
    )

    async def question(connection: asyncpg.Connection) -> Listing[Study]:
        rows = await connection.fetch(query, strategy, symbol, *(after or (None, None)), limit)
        return Listing(await current_publication(connection, "studies"), tuple(_study(row) for row in rows))

    return await pools.snapshot(question)


async def find_study(pools: ServingPools, study_id: str) -> StudyDetail:
    """Return one study with its equity curve.

    Raises:
        NotFound: there is no such study.
    """

    async def question(connection: asyncpg.Connection) -> StudyDetail:
        row = await connection.fetchrow(_STUDIES + " where study_id = $1", study_id)
        if row is None:
            raise NotFound(f"Study {study_id} was looked up and not found. GET /v1/studies lists the published ones.")
        curve = await connection.fetch(
            "select ts, equity, benchmark from serving.study_equity_v1 where study_id = $1 order by ts", study_id
        )
        equity = Equity(
            tuple(point["ts"] for point in curve),
            tuple(point["equity"] for point in curve),
            tuple(point["benchmark"] for point in curve),
        )
        return StudyDetail(await current_publication(connection, "studies"), _study(row), equity)

    return await pools.snapshot(question)


async def list_reports(
    pools: ServingPools, *, portfolio: str | None, after: tuple[date, str] | None, limit: int
) -> Listing[ReportSummary]:
    """Return risk reports, latest `as_of` first, then by report id descending, beginning below `after`."""
    query = (
        _REPORTS
        + """
    from serving.reports_v1
    where ($1::text is null or portfolio = $1)
        and ($2::date is null or (as_of, report_id) < ($2, $3::text))
    order by as_of desc, report_id desc
    limit $4
"""
    )

    async def question(connection: asyncpg.Connection) -> Listing[ReportSummary]:
        rows = await connection.fetch(query, portfolio, *(after or (None, None)), limit)
        published = await current_publication(connection, "risk_reports")
        return Listing(published, tuple(ReportSummary(**row) for row in rows))

    return await pools.snapshot(question)


async def find_report(pools: ServingPools, report_id: str) -> Report:
    """Return one risk report with payload and page.

    Raises:
        NotFound: there is no such report.
    """

    async def question(connection: asyncpg.Connection) -> Report:
        row = await connection.fetchrow(
            _REPORTS + ", payload, html from serving.reports_v1 where report_id = $1", report_id
        )
        if row is None:
            raise NotFound(
                f"Risk report {report_id} was looked up and not found. GET /v1/risk/reports lists the published ones."
            )
        facts = dict(row)
        payload, html = orjson.loads(facts.pop("payload")), facts.pop("html")
        published = await current_publication(connection, "risk_reports")
        return Report(published, ReportSummary(**facts), payload, html)

    return await pools.snapshot(question)


def _study(row: asyncpg.Record) -> Study:
    facts = dict(row)
    for name in ("best_params", "metrics"):
        facts[name] = orjson.loads(facts[name])
    return Study(**facts)
