"""One temporary cluster for all of tests/api, filled by hand from the serving contract."""

import secrets
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from chandlery.api.app import create_app
from chandlery.settings import Settings
from chandlery.store.embedded import EmbeddedPostgres
from chandlery.store.keys import SCOPES, create_key
from chandlery.store.migrate import migrate
from chandlery.store.warehouse import Warehouse, open_warehouse

PUBLISHED_AT = datetime(2024, 1, 5, 22, 15, tzinfo=UTC)

_DDL = """
create table serving.candles_v1 (symbol text, timeframe text, basis text, ts timestamptz, session date,
    instrument_id int, asset_class text, open float8, high float8, low float8, close float8, volume float8,
    vwap float8, trade_count int8, bar_count int4, expected_count int4, is_final bool, quality_score float8,
    source text, primary key (symbol, timeframe, basis, ts));
create table serving.quality_v1 (symbol text, timeframe text, session date, instrument_id int, asset_class text,
    score float8, validity float8, completeness float8, plausibility float8, bar_count int4, expected_count int4,
    held_count int4, findings int4, source text, consistency float8, timeliness float8,
    primary key (symbol, timeframe, session));
create table serving.symbols_v1 (symbol text primary key, instrument_id int, asset_class text, calendar text,
    currency text, name text, first_session date, last_session date, bars_1m int8, bars_1d int8, mean_score float8,
    source text);
create table serving.studies_v1 (study_id text primary key, strategy text, strategy_version int4, symbol text,
    timeframe text, method text, objective text, trials int4, seed int8, bars int4, first_ts timestamptz,
    last_ts timestamptz, best_params jsonb, metrics jsonb, verdict text, source text, definition_hash text,
    panel_id text, code_version text, run_id text, created_at timestamptz);
create table serving.study_equity_v1 (study_id text, ts timestamptz, equity float8, benchmark float8,
    primary key (study_id, ts));
create table serving.reports_v1 (report_id text primary key, portfolio text, as_of date, limit_state text,
    payload jsonb, html text, code_version text, run_id text, created_at timestamptz);
"""

_ROWS = """
insert into serving.symbols_v1 values
    ('AAPL', 1, 'stocks', 'NYSE', 'USD', 'Apple Inc.', '2024-01-02', '2024-01-08', 2730, 61, 0.99, 'simulated'),
    ('AMZN', 2, 'stocks', 'NYSE', 'USD', 'Amazon.com', '2024-01-02', '2024-01-08', 2730, 61, 0.98, 'wiki'),
    ('MSFT', 3, 'stocks', 'NYSE', 'USD', null, null, null, 0, 0, null, null),
    ('X:BTCUSD', 4, 'crypto', '24/7', 'USD', 'Bitcoin', '2024-01-02', '2024-01-08', 10080, 7, 0.97, 'simulated');
insert into serving.candles_v1
select 'AAPL', '1h', 'minutes', '2024-01-02T14:30Z'::timestamptz + i * interval '1 hour', '2024-01-02'::date + i / 7,
    1, 'stocks', 100 + i, 101 + i, 99 + i, 100.5 + i, 1000 * i, case when i % 3 = 0 then null else 100.25 + i end,
    case when i % 4 = 0 then null else 10 + i end, 60 - i % 2, 60, i < 29, case when i % 5 = 0 then null else
    1 - i / 100.0 end, case when i < 20 then 'simulated' else 'massive' end
from generate_series(0, 29) as i;
insert into serving.candles_v1 values
    ('AAPL', '1d', 'minutes', '2024-01-02T14:30Z', '2024-01-02', 1, 'stocks', 1, 2, 0.5, 1.5, 10, null, null, 390, 390,
        true, 1, 'simulated'),
    ('AAPL', '1d', 'day', '2024-01-02T05:00Z', '2024-01-02', 1, 'stocks', 3, 4, 2.5, 3.5, 20, null, null, 1, 1,
        true, 1, 'wiki'),
    ('AMZN', '1h', 'minutes', '2024-01-02T14:30Z', '2024-01-02', 2, 'stocks', 7, 8, 6, 7.5, 5, 7.2, 3, 60, 60,
        true, 0.9, 'wiki');
insert into serving.quality_v1
select s, '1m', '2024-01-02'::date + i, 1, 'stocks', 0.9 + i / 100.0, 1, 0.95, null, 388, 390, i, 2 * i, 'simulated',
    case when i = 2 then 0.85 end, null
from unnest(array['AAPL', 'AMZN']) as s, generate_series(0, 4) as i;
insert into serving.studies_v1
select 'study-' || i, case when i % 2 = 0 then 'sma_cross' else 'rsi_reversal' end, 1, 'AAPL', '1d', 'tpe', 'sharpe',
    200, 7, 500, '2022-01-03T14:30Z', '2023-12-29T14:30Z', '{"fast": 12, "slow": 48}', '{"sharpe": 0.61}', 'no edge',
    'wiki', 'abc', 'def', '0.1.0', null, '2024-01-05T22:20Z'::timestamptz + (i / 2) * interval '1 minute'
from generate_series(0, 4) as i;
insert into serving.study_equity_v1 values
    ('study-0', '2022-01-04T14:30Z', 0.998, 0.978), ('study-0', '2022-01-03T14:30Z', 1.0, 1.0);
insert into serving.reports_v1
select 'report-' || i, case when i = 2 then 'growth' else 'balanced' end, '2024-01-04'::date + i / 2, 'ok',
    '{"schema_version": 1, "var": [0.021]}', '<!doctype html><style>p{color:red}</style><p>Report</p>', '0.1.0',
    'run-1', '2024-01-05T22:30Z'
from generate_series(0, 2) as i;
insert into ops.publication
select d, 3, '2024-01-05T22:15Z', 'run-1', '0.1.0', 'simulated', 10, true
from unnest(array['candles', 'quality', 'symbols', 'studies', 'risk_reports']) as d;
"""


@dataclass(frozen=True)
class Cluster:
    """A running temporary installation."""

    settings: Settings
    postgres: EmbeddedPostgres
    warehouse: Warehouse

    def run(self, script: str) -> None:
        """Run statements as the role that owns the serving tables."""
        with self.warehouse.write("pipeline") as connection:
            connection.execute(text(script.replace(":", "\\:")))


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    home = tmp_path_factory.mktemp("home")
    settings = Settings(_env_file=None, profile="embedded", home=home)
    postgres = EmbeddedPostgres(home)
    postgres.ensure()
    try:
        warehouse = open_warehouse(settings, start=False)
        migrate(warehouse)
        running = Cluster(settings, postgres, warehouse)
        running.run(_DDL)
        running.run(_ROWS)
        yield running
    finally:
        postgres.stop()
        # As root the folder lies outside tmp_path, where the server's own user can enter.
        shutil.rmtree(Path(postgres._dir), ignore_errors=True)


KeyMaker = Callable[..., tuple[str, str]]


@pytest.fixture(scope="session")
def make_key(cluster: Cluster) -> KeyMaker:
    """Return a function that creates a key and gives (its text, its id)."""

    def make(
        *scopes: str, now: datetime = PUBLISHED_AT, expires_at: datetime | None = None, name: str = "test"
    ) -> tuple[str, str]:
        plain, record = create_key(
            cluster.warehouse,
            name=name,
            scopes=scopes or SCOPES,
            expires_at=expires_at,
            now=now,
            entropy=secrets.token_bytes,
        )
        return plain, record.key_id

    return make


@pytest.fixture(scope="session")
def client(cluster: Cluster, make_key: KeyMaker) -> Iterator[TestClient]:
    """Return a client whose key may read everything."""
    plain, _ = make_key()
    headers = {"Authorization": f"Bearer {plain}"}
    with TestClient(create_app(cluster.settings), raise_server_exceptions=False, headers=headers) as opened:
        yield opened


@pytest.fixture(scope="session")
def stranger(client: TestClient) -> TestClient:
    """Return a client of the same app, in the same event loop, without a key."""
    other = TestClient(client.app, raise_server_exceptions=False)
    other.portal = client.portal
    return other
