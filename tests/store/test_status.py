"""Counting the warehouse at every stage of its life."""

from collections.abc import Callable
from typing import Any

import pytest

from chandlery.errors import DatabaseDown
from chandlery.market.timeframes import CANDLE_TIMEFRAMES
from chandlery.store.status import IngestProgress, QualityStatus, Status, read_progress, read_status
from chandlery.store.warehouse import Warehouse

Tell = Callable[..., None]

NOTHING = Status(
    symbols=0,
    bars={"1m": 0, "1d": 0},
    candles={tf.value: 0 for tf in CANDLE_TIMEFRAMES},
    quality=QualityStatus(0, None),
    findings=0,
    held=0,
    studies=0,
    risk_reports=0,
    sources=(),
)

_FILLED = """
insert into ops.instruments (instrument_id, asset_class, calendar, is_tracked) overriding system value
    values (1, 'stocks', 'NYSE', true), (2, 'stocks', 'NYSE', false);
insert into ops.ingests (window_id, attempt, source, request_ids, payload_sha256, known_from)
    values (1, 1, 'simulated', '{}', '', now()), (2, 1, 'wiki+simulated', '{}', '', now());
insert into ops.bar_sessions (instrument_id, timeframe, session, bars, ingest_id, first_ingest_id)
    values (1, '1m', '2024-01-02', 10, 1, 1), (1, '1d', '2024-01-02', 1, 2, 2), (1, '1d', '2024-01-04', 1, 2, 2),
        (2, '1d', '2024-01-03', 1, 2, 2), (2, '1d', '2024-01-05', 1, 2, 2);
insert into raw.massive__quarantine (window_id, seq, instrument_id, timeframe, ts, rules)
    values (1, 0, 1, '1m', '2024-01-02 15:00+0', '{high_covers_body}');
insert into ops.findings (instrument_id, calendar, timeframe, ts, session, last_session, rule, "check", severity,
        verdict, term, evidence, state, window_id)
    select 1, 'NYSE', '1m', '2024-01-02 15:00+0', '2024-01-02', '2024-01-02', 'r' || i, 7, 'minor',
        'suspected', 'plausibility', '{}', case when i = 0 then 'dismissed' else 'open' end, 1
    from generate_series(0, 2) as i;
insert into research.risk_reports (report_id, portfolio, as_of, payload, html, limit_state, code_version)
    values ('r', 'p', '2024-01-02', '{}', '', 'ok', '0');
insert into ops.ingest_windows
    (instrument_id, timeframe, start_session, end_session, status, attempts, rows_seen)
    values (1, '1m', '2024-01-02', '2024-01-03', 'published', 2, 10),
        (1, '1d', '2024-01-02', '2024-01-03', 'empty', 1, 0),
        (2, '1d', '2024-01-02', '2024-01-03', 'quarantined', 1, 4),
        (2, '1m', '2024-01-02', '2024-01-03', 'running', 1, 99),
        (2, '1m', '2024-01-03', '2024-01-04', 'failed', 1, 50);
"""
_BUILT = """
create table marts.candles_5m as select i from generate_series(1, 5) as i;
create table marts.candles_1w as select i from generate_series(1, 2) as i;
create table marts.quality_scores_daily as select * from (values (0.5), (1.0), (null)) as scores (score);
"""


def test_migrated_warehouse_holds_nothing(warehouse: Warehouse) -> None:
    assert read_status(warehouse) == NOTHING
    assert read_progress(warehouse) == IngestProgress(windows=0, rows=0)


def test_never_migrated_warehouse_holds_nothing_either(postgres: Any) -> None:
    empty = postgres.create("empty", template="template1")
    try:
        assert read_status(empty) == NOTHING
    finally:
        postgres.drop(empty)


def test_filled_warehouse_is_counted_stage_by_stage(fresh: Warehouse, tell: Tell) -> None:
    tell(fresh, _FILLED)
    tell(fresh, _BUILT, role="pipeline")
    assert read_status(fresh) == Status(
        symbols=1,
        bars={"1m": 10, "1d": 4},
        candles={"5m": 5, "15m": 0, "30m": 0, "1h": 0, "4h": 0, "1d": 0, "1w": 2},
        quality=QualityStatus(2, 0.75),
        findings=2,
        held=1,
        studies=0,
        risk_reports=1,
        sources=("simulated", "wiki"),
    )


def test_progress_counts_finished_windows_and_their_rows_of_every_attempt(fresh: Warehouse, tell: Tell) -> None:
    tell(fresh, _FILLED)
    assert read_progress(fresh) == IngestProgress(windows=3, rows=2 * 10 + 0 + 4)


def test_status_of_a_dead_database_is_no_zero(postgres: Any) -> None:
    with pytest.raises(DatabaseDown):
        read_status(postgres.warehouse("absent", port=1))
