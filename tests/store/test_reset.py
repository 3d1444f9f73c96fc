"""Emptying a warehouse of replayed data."""

from collections.abc import Callable
from typing import Any

import pytest

from chandlery.errors import Conflict
from chandlery.store.reset import empty_replayed
from chandlery.store.version import SCHEMA_REVISION
from chandlery.store.warehouse import Warehouse

Ask = Callable[..., list[tuple[Any, ...]]]
Tell = Callable[..., None]

_FILLED = """
insert into ops.instruments (instrument_id, asset_class, calendar) overriding system value
    values (1, 'stocks', 'NYSE'), (2, 'stocks', 'NYSE');
insert into ops.instrument_tickers values ('AAPL', '1900-01-01', null, 1, 'replay'),
    ('BA', '1900-01-01', null, 2, 'replay');
insert into raw.massive__bars_1d (instrument_id, ts, open, high, low, close, volume, ingest_id, reason)
    values (1, '2024-01-02', 1, 1, 1, 1, 1, 1, 'first');
insert into ops.publication (dataset, version, code_version, source, rows, is_current)
    values ('candles', 1, '0', 'wiki', 1, true);
insert into research.studies (study_id, strategy, strategy_version, definition_hash, instrument_id, timeframe, panel_id,
    first_ts, last_ts, bars, method, objective, budget, seed, source, code_version)
    values ('s', 'sma_cross', 1, 'd', 1, '1d', 'p', '2024-01-02', '2024-01-03', 2, 'de', 'x', 3, 7, 'wiki', '0');
insert into research.batches (study_id, batch, part, first_seq, size, fence) values ('s', 0, 0, 0, 3, 1);
insert into research.exports (export_id, study_id, kind, file_name, mime_type, size, sha256, path)
    values ('e', 's', 'pdf', 'a.pdf', 'application/pdf', 1, '', 'a.pdf');
insert into ops.jobs (job_id, kind, params, created_by)
    values ('00000000-0000-7000-8000-000000000000', 'study', '{}', 'desk');
insert into ops.job_events (job_id, event) values ('00000000-0000-7000-8000-000000000000', 'submitted');
insert into ops.api_keys (key_id, secret_hash, salt, preview, name, scopes) values ('k', '', '', '', 'desk', '{}');
"""
_BUILT = """
create table marts.candles_1d as select 1 as i;
create table serving.candles_v1 as select 1 as i;
create table dagster.runs as select 1 as i;
create table optuna.studies as select 1 as i;
create view serving.symbols_v1 as select 1 as i;
"""


@pytest.fixture
def filled(fresh: Warehouse, tell: Tell) -> Warehouse:
    tell(fresh, _FILLED)
    tell(fresh, _BUILT, role="pipeline")
    return fresh


def counts(ask: Ask, warehouse: Warehouse, *tables: str) -> dict[str, int]:
    return {table: ask(warehouse, f"select count(*) from {table}")[0][0] for table in tables}


def test_everything_replayed_goes(filled: Warehouse, ask: Ask) -> None:
    tables = ("ops.instruments", "raw.massive__bars_1d", "ops.publication", "marts.candles_1d", "serving.candles_v1")
    tables += ("research.studies", "research.batches", "research.exports", "ops.jobs", "ops.job_events")
    assert set(counts(ask, filled, *tables).values()) == {1, 2}
    empty_replayed(filled)
    assert set(counts(ask, filled, *tables).values()) == {0}


def test_keys_version_and_the_history_of_others_stay(filled: Warehouse, ask: Ask) -> None:
    empty_replayed(filled)
    kept = ("ops.api_keys", "ops.alembic_version", "dagster.runs", "optuna.studies")
    assert counts(ask, filled, *kept) == dict.fromkeys(kept, 1)
    assert ask(filled, "select version_num from ops.alembic_version") == [(SCHEMA_REVISION,)]


def test_nothing_goes_if_one_symbol_came_from_the_vendor(filled: Warehouse, tell: Tell, ask: Ask) -> None:
    tell(filled, "update ops.instrument_tickers set source = 'massive' where ticker = 'BA'")
    with pytest.raises(Conflict, match="1 of its symbols"):
        empty_replayed(filled)
    assert counts(ask, filled, "ops.instruments", "marts.candles_1d") == {"ops.instruments": 2, "marts.candles_1d": 1}


def test_warehouse_without_data_can_be_emptied(fresh: Warehouse) -> None:
    assert empty_replayed(fresh) > 10
