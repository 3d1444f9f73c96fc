"""One temporary cluster with the shared tapes in raw, and dbt run in process against it."""

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import psycopg
import pytest
from untraced import untraced

from chandlery.market.bars import BAR_SCHEMA
from chandlery.market.calendar import SESSION_SCHEMA, sessions
from chandlery.market.symbols import asset_class_of, calendar_of
from chandlery.settings import DatabaseSettings, Role
from chandlery.store.embedded import EmbeddedPostgres
from chandlery.store.migrate import migrate
from chandlery.store.warehouse import Warehouse

ROOT = Path(__file__).resolve().parents[2]
TAPES = ROOT.parent / "shared" / "data" / "tapes"
PROJECT = ROOT / "dbt_project"

MINUTE_TAPES = {
    "AAPL": "us_minute/AAPL",
    "MSFT": "us_minute/MSFT",
    "SPY": "us_minute/SPY_2011-01",
    "I:SPX": "us_minute/I_SPX_2019-11",
    "X:BTCUSD": "crypto_minute/X_BTCUSD_bitfinex_2016",
}
SYMBOLS = (*MINUTE_TAPES, "CLOCK")
INSTRUMENT_IDS = {symbol: place + 1 for place, symbol in enumerate(SYMBOLS)}


_KEPT = "kept_as_built"


@dataclass
class Mart:
    """The cluster under test: SQL in, rows out; `build` runs dbt over a window."""

    warehouse: Warehouse
    minutes: dict[str, pl.DataFrame]
    days: pl.DataFrame
    environment: Mapping[str, str]
    manifest: Any = field(default=None)

    def rows(self, query: str, *parameters: object, role: Role = "pipeline") -> list[tuple[Any, ...]]:
        with self._connect(role) as connection:
            return connection.execute(query, parameters).fetchall()

    def do(self, *statements: str) -> None:
        with self._connect("owner") as connection:
            for statement in statements:
                connection.execute(statement)

    def copy(self, table: str, frame: pl.DataFrame) -> None:
        with self._connect("owner") as connection:
            columns = ", ".join(frame.columns)
            with connection.cursor().copy(f"copy {table} ({columns}) from stdin") as stream:
                for row in frame.iter_rows():
                    stream.write_row(row)

    def publish(
        self, symbol: str, bars: pl.DataFrame, *, ingest: int, source: str = "tape", timeframe: str = "1m"
    ) -> None:
        """Append bars as one ingest, and note the sessions they belong to: what the publisher does of it for dbt."""
        number = INSTRUMENT_IDS[symbol]
        self.do(
            "insert into ops.ingests (ingest_id, window_id, attempt, source, request_ids, payload_sha256, known_from) "
            f"overriding system value values ({ingest}, 0, 1, '{source}', '{{}}', '', now()) on conflict do nothing"
        )
        fixed = {"instrument_id": pl.lit(number), "ingest_id": pl.lit(ingest), "reason": pl.lit("first")}
        self.copy(f"raw.massive__bars_{timeframe}", bars.with_columns(**fixed))
        days = bars["ts"].dt.convert_time_zone(zone_of(symbol)).dt.date()
        self.note_sessions(symbol, days.min(), days.max(), ingest=ingest, timeframe=timeframe)

    def note_sessions(self, symbol: str, first: date, last: date, *, ingest: int, timeframe: str = "1m") -> None:
        """Recount `ops.bar_sessions` from raw for the sessions `first` to `last`, as changed by `ingest`."""
        number, day = INSTRUMENT_IDS[symbol], f"(ts at time zone '{zone_of(symbol)}')::date"
        self.do(
            f"update ops.bar_sessions set bars = 0, first_ts = null, last_ts = null, ingest_id = {ingest} where "
            f"instrument_id = {number} and timeframe = '{timeframe}' and session between '{first}' and '{last}'",
            "insert into ops.bar_sessions "
            "(instrument_id, timeframe, session, bars, first_ts, last_ts, ingest_id, first_ingest_id) "
            f"select instrument_id, '{timeframe}', {day}, count(*), min(ts), max(ts), {ingest}, {ingest} "
            f"from raw.massive__bars_{timeframe} where instrument_id = {number} "
            f"and {day} between '{first}' and '{last}' group by 1, 3 "
            "on conflict (instrument_id, timeframe, session) do update set bars = excluded.bars, "
            "first_ts = excluded.first_ts, last_ts = excluded.last_ts, ingest_id = excluded.ingest_id",
        )

    def find(self, symbol: str, session: str, **values: object) -> None:
        """Put a finding of a symbol's 1m session at 14:00 UTC, suspected, open and of plausibility unless said else."""
        facts = {
            "instrument_id": INSTRUMENT_IDS[symbol],
            "calendar": calendar_of(asset_class_of(symbol)),
            "timeframe": "1m",
            "ts": f"{session} 14:00+00",
            "session": session,
            "last_session": session,
            "rule": "x",
            "check": 9,
            "severity": "major",
            "verdict": "suspected",
            "term": "plausibility",
            "evidence": "{}",
        } | values
        names = ", ".join(f'"{name}"' for name in facts)
        with self._connect("owner") as connection:
            connection.execute(
                f"insert into ops.findings ({names}) values ({', '.join(['%s'] * len(facts))})", list(facts.values())
            )

    def build(self, *arguments: str, window: tuple[str, str] | None = None, **variables: object) -> None:
        """Run `dbt build`; fail with dbt's own messages."""
        if window:
            variables |= {"start_session": window[0], "end_session": window[1]}
        done = self._dbt("build", "--quiet", "--vars", json.dumps(variables), *arguments)
        failed = [(item.node.name, item.status, item.message) for item in done.result or [] if item.status in BAD]
        if not done.success:
            raise AssertionError(failed or done.exception)

    def parse(self) -> None:
        """Parse the project once; every later build uses the result."""
        self.manifest = self._dbt("parse", "--quiet").result

    def keep(self) -> None:
        """Keep a copy of the database as it is now."""
        name = self.warehouse.database.name
        self._administer(
            f"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'",
            f'create database "{_KEPT}" template "{name}" strategy file_copy',
        )

    def restore(self) -> None:
        """Put the kept state back: a copy of files takes a fraction of the build that would write it."""
        name = self.warehouse.database.name
        self._administer(
            f'drop database "{name}" with (force)',
            f'create database "{name}" template "{_KEPT}" strategy file_copy',
            # Rights on a database are not part of its copy.
            f'grant create, temporary on database "{name}" to chandlery_pipeline',
        )

    def _administer(self, *statements: str) -> None:
        with self._connect("owner", "postgres") as connection:
            connection.autocommit = True
            for statement in statements:
                connection.execute(statement)

    def _dbt(self, *arguments: str) -> Any:
        """Run dbt with the cluster's variables set meanwhile only: other tests share this process."""
        from dbt.cli.main import dbtRunner

        with untraced(), pytest.MonkeyPatch.context() as patch:
            for name, value in self.environment.items():
                patch.setenv(name, value)
            return dbtRunner(manifest=self.manifest).invoke(list(arguments))

    def _connect(self, role: Role, name: str | None = None) -> psycopg.Connection[tuple[Any, ...]]:
        place, (user, password) = self.warehouse.database, self.warehouse.database.login(role)
        return psycopg.connect(
            host=place.host, port=place.port, dbname=name or place.name, user=user, password=password
        )


BAD = {"error", "fail", "skipped", "warn", "partial success"}


def tape_minutes(symbol: str) -> pl.DataFrame:
    frame = pl.read_parquet(TAPES / f"{MINUTE_TAPES[symbol]}.parquet")
    stamps = pl.from_epoch("t", time_unit="ms").dt.replace_time_zone("UTC").alias("ts")
    return frame.select(stamps, "open", "high", "low", "close", "volume", vwap=None, trade_count=None).cast(
        dict(BAR_SCHEMA)
    )


def clock_minutes() -> pl.DataFrame:
    """Constructed: a half day and both changes of the clock, extended hours around them, fractional volumes.

    Every 97th minute lacks vwap and count, every 50th is a filler, every 31st is missing.
    """
    hours = {
        # New York 09:30 in UTC; the first and last minutes lie in extended hours.
        datetime(2012, 11, 2, 13, 0, tzinfo=UTC): 460,
        datetime(2012, 11, 5, 14, 0, tzinfo=UTC): 460,
        datetime(2012, 12, 24, 14, 0, tzinfo=UTC): 300,
        datetime(2013, 3, 8, 14, 0, tzinfo=UTC): 460,
        datetime(2013, 3, 11, 13, 0, tzinfo=UTC): 460,
        datetime(2013, 3, 12, 13, 0, tzinfo=UTC): 460,
    }
    rows = []
    for start, minutes in hours.items():
        for k in range(minutes):
            n = len(rows) + k
            price, volume = 50 + (n * 7919 % 1000) / 300, (n * 104729 % 9973) / 7
            known = n % 97 != 0
            bar = (price, price + (n % 11) / 70, price - (n % 13) / 90, price - (n % 13) / 180, volume)
            filler = (price, price, price, price, 0.0)
            if n % 31 != 0:
                values = filler if n % 50 == 0 else bar
                extra = (price - 0.01, n % 40 + 1) if known and n % 50 else (None, None)
                rows.append((start + timedelta(minutes=k), *values, *extra))
    return pl.DataFrame(rows, schema=dict(BAR_SCHEMA), orient="row")


def _start() -> tuple[EmbeddedPostgres, Warehouse, Path]:
    # Not below pytest's folder: the server's user must be able to enter every parent.
    home = Path(tempfile.mkdtemp(prefix="chandlery-dbt-"))
    home.chmod(0o755)
    embedded = EmbeddedPostgres(home)
    server = embedded.ensure()
    place = {"host": server.host, "port": server.port, "user": server.user, "password": server.password}
    warehouse = Warehouse(DatabaseSettings.model_validate({**place, "name": "chandlery"}))
    migrate(warehouse)
    # Nothing here has to outlive a power cut.
    with psycopg.connect(warehouse.url("owner"), autocommit=True) as connection:
        for name in ("fsync", "full_page_writes", "synchronous_commit"):
            connection.execute(f"alter system set {name} = off")
        connection.execute("select pg_reload_conf()")
    return embedded, warehouse, home


def _register(mart: Mart) -> None:
    for symbol, number in INSTRUMENT_IDS.items():
        asset_class = asset_class_of(symbol)
        mart.do(
            "insert into ops.instruments (instrument_id, asset_class, calendar) overriding system value "
            f"values ({number}, '{asset_class}', '{calendar_of(asset_class)}')",
            f"insert into ops.instrument_tickers values ('{symbol}', '1980-01-01', null, {number}, 'tape')",
        )
    for calendar, start, end in (
        ("NYSE", date(1980, 1, 1), date(2020, 1, 1)),
        ("24/7", date(2016, 1, 1), date(2016, 6, 1)),
    ):
        mart.copy("ops.sessions", sessions(calendar, start, end).select(*SESSION_SCHEMA))


def zone_of(symbol: str) -> str:
    return "UTC" if symbol.startswith("X:") else "America/New_York"


def _load(mart: Mart) -> None:
    for symbol, number in INSTRUMENT_IDS.items():
        bars = mart.minutes[symbol]
        days = bars["ts"].dt.convert_time_zone(zone_of(symbol)).dt.date()
        mart.do(
            "insert into ops.ingest_windows (instrument_id, timeframe, start_session, end_session, status, source) "
            f"values ({number}, '1m', '{days.min()}', '{days.max() + timedelta(days=1)}', 'published', 'tape')"
        )
        mart.publish(symbol, bars, ingest=number, source="tape")
    midnight = pl.col("session").cast(pl.Datetime("us")).dt.replace_time_zone("America/New_York")
    bars = mart.days.select("open", "high", "low", "close", "volume", ts=midnight.dt.convert_time_zone("UTC"))
    mart.publish("AAPL", bars, ingest=99, source="wiki", timeframe="1d")
    number = INSTRUMENT_IDS["AAPL"]
    mart.do(
        "insert into ops.ingest_windows (instrument_id, timeframe, start_session, end_session, status, source) "
        f"values ({number}, '1d', '1980-12-12', '2014-01-01', 'published', 'wiki')",
        # AAPL's splits of the tape: 2:1 on 1987-06-16, 2000-06-21 and 2005-02-28; one announced for later.
        *(
            "insert into ops.corporate_actions (instrument_id, kind, ex_date, split_from, split_to, status, evidence, "
            f"source, known_from) values ({number}, 'split', '{day}', 1, {to}, 'accepted', '{{}}', 'wiki', now())"
            for day, to in (("1987-06-16", 2), ("2000-06-21", 2), ("2005-02-28", 2), ("2014-06-09", 7))
        ),
    )


def _environment(warehouse: Warehouse, home: Path) -> Mapping[str, str]:
    user, password = warehouse.database.login("pipeline")
    return {
        "CHANDLERY_DATABASE__HOST": warehouse.database.host,
        "CHANDLERY_DATABASE__PORT": str(warehouse.database.port),
        "CHANDLERY_DATABASE__NAME": warehouse.database.name,
        "CHANDLERY_DBT_USER": user,
        "CHANDLERY_DBT_PASSWORD": password,
        "DBT_PROJECT_DIR": str(PROJECT),
        "DBT_PROFILES_DIR": str(PROJECT),
        "DBT_TARGET_PATH": str(home / "target"),
        "DBT_LOG_PATH": str(home / "logs"),
        # dbt never closes its log file, which Python reports as a warning.
        "DBT_LOG_LEVEL_FILE": "none",
        "DO_NOT_TRACK": "1",
    }


@pytest.fixture(scope="session")
def mart() -> Iterator[Mart]:
    """A cluster with every tape loaded and every model built once over all of history."""
    if not TAPES.exists():
        pytest.skip("the shared tapes are not on this machine")
    embedded, warehouse, home = _start()
    try:
        minutes = {symbol: tape_minutes(symbol) for symbol in MINUTE_TAPES} | {"CLOCK": clock_minutes()}
        days = pl.read_parquet(TAPES / "us_daily" / "AAPL.parquet")
        mart = Mart(warehouse, minutes, days, _environment(warehouse, home))
        _register(mart)
        _load(mart)
        mart.parse()
        mart.build()
        mart.keep()
        yield mart
    finally:
        embedded.stop()
        shutil.rmtree(home, ignore_errors=True)
