"""The real ingest over HTTP, killed with SIGKILL wherever it stands, ends with the rows of an undisturbed run.

The moments are not left to chance: a slow answer of the stand-in holds the child while it fetches, a table lock
holds it at the statement that first needs that table. Once it waits there, it is killed.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import psycopg
import pytest

from chandlery.market.calendar import sessions
from chandlery.market.timeframes import Timeframe
from chandlery.sources.standin import running
from chandlery.sources.standin.faults import Fault, FaultScript, slow
from chandlery.sources.tapes import Tape

Ask = Callable[..., list[tuple[Any, ...]]]

FIRST, END = date(2023, 10, 2), date(2024, 1, 1)
_SESSIONS = 63
"""Two windows a stock, the cut after the 52nd session."""
SYMBOLS = ("AAPL", "MSFT")
_BARS_A_SESSION = 40
_PAGE = 1_000
_PATIENCE_S = 60.0

_REQUESTS = 12
"""1, 2 list stocks and crypto, 3, 4 ask for changes of ticker; 5-7 and 8 are the two windows of AAPL, 9-11 and 12 those
of MSFT."""
_HELD_S = 0.4

MOMENTS: dict[str, tuple[int | None, str | None]] = {
    "the source lists its symbols": (1, None),
    "the first symbol is registered": (None, "ops.instruments"),
    "the calendar is written": (None, "ops.sessions"),
    "the first window is opened": (None, "ops.ingest_windows"),
    "the second page is fetched": (6, None),
    "the first window is judged": (7, "raw.massive__bars_1m"),
    "its bars are written, its sessions are not": (None, "ops.bar_sessions"),
    "its ingest is not noted": (None, "ops.ingests"),
    "its held bars are not": (None, "raw.massive__quarantine"),
    "the first window is published, its findings are not": (None, "ops.findings"),
    "the second window is published": (8, "raw.massive__bars_1m"),
    "the second stock is published": (11, "raw.massive__bars_1m"),
}
"""Moment -> the request that is answered slowly (None: none), and the table the child then waits for."""

# Imports what is slow once; every line it reads becomes a forked child that ingests from the beginning.
_INGEST = """
import json, os, sys, traceback
from datetime import date
import great_expectations, great_expectations.expectations, pandas, pandas_market_calendars
from chandlery.market.timeframes import Timeframe
from chandlery.settings import DatabaseSettings, Settings
from chandlery.sources import open_source
from chandlery.steps.bars import ingest_bars
from chandlery.steps.calendar import build_calendar
from chandlery.steps.universe import sync_universe
from chandlery.quality.gx import _batch_definition
from chandlery.store.warehouse import Warehouse

_batch_definition()

def ingest(url, place, start, end):
    source = open_source(Settings(_env_file=None, source="replay"), replay_url=url)
    warehouse = Warehouse(DatabaseSettings(**place))
    sync_universe(source, warehouse, symbols=(), source_name="tape")
    build_calendar(warehouse, start=start, end=end)
    ingest_bars(source, warehouse, timeframe=Timeframe.M1, start=start, end=end, only_missing=True)

for line in sys.stdin:
    url, place, start, end = json.loads(line)
    child = os.fork()
    if child == 0:
        try:
            ingest(url, place, date.fromisoformat(start), date.fromisoformat(end))
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    print(child, file=sys.stderr, flush=True)
    print(os.waitpid(child, 0)[1], file=sys.stderr, flush=True)
"""


def _session_minutes(day: date, seed: int) -> list[tuple[Any, ...]]:
    opening = datetime(day.year, day.month, day.day, 9, 30, tzinfo=ZoneInfo("America/New_York")).astimezone(UTC)
    rows = []
    for place in range(_BARS_A_SESSION):
        price = 100 + (seed * 7919 + day.toordinal() * 31 + place * 17) % 500 / 25
        # One bar in 401 has its high under its body: it must be held, once, whatever happens.
        high = price - 1 if (day.toordinal() * _BARS_A_SESSION + place) % 401 == 0 else price + 1
        t = round((opening + timedelta(minutes=place)).timestamp() * 1000)
        rows.append((t, price, high, price - 2, price - 0.5, 100.0 + place))
    return rows


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Tape:
    """Two stocks with the first minutes of every session."""
    folder = tmp_path_factory.mktemp("tape")
    (folder / "us_minute").mkdir()
    days = sessions("NYSE", FIRST, END)["session"].to_list()
    assert len(days) == _SESSIONS
    columns = ["t", "open", "high", "low", "close", "volume"]
    for seed, symbol in enumerate(SYMBOLS):
        rows = [row for day in days for row in _session_minutes(day, seed)]
        frame = pl.DataFrame(rows, schema=columns, orient="row").with_columns(symbol=pl.lit(symbol))
        frame.write_parquet(folder / "us_minute" / f"{symbol}.parquet")
    return Tape.open(folder)


class Moments(dict[int, Fault]):
    """Faults of the attempt under way, by request counted from its first one."""

    seen = 0

    def get(self, _number: int, default: Any = None) -> Any:
        self.seen += 1
        return super().get(self.seen, default)

    def plan(self, slow_request: int | None) -> None:
        self.clear()
        self.seen = 0
        if slow_request is not None:
            self[slow_request] = slow(_HELD_S)


@dataclass
class Provider:
    """The stand-in over the tape."""

    url: str
    moments: Moments


@pytest.fixture(scope="module")
def provider(tape: Tape) -> Iterator[Provider]:
    moments = Moments()
    with running(tape, page_limit=_PAGE, faults=FaultScript(moments)) as url:
        yield Provider(url, moments)


@dataclass
class Attempt:
    """One ingest under way in a process of its own."""

    process: "subprocess.Popen[str]"
    said: list[str] = field(default_factory=list)

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        assert self.end() == -signal.SIGKILL, self.said

    def end(self) -> int:
        """Wait for the end; return the exit code, negative for the signal that ended it."""
        return os.waitstatus_to_exitcode(self._number())

    def begin(self, *arguments: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(arguments) + "\n")
        self.process.stdin.flush()
        self.pid = self._number()

    def _number(self) -> int:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if line.strip().isdigit():
                return int(line)
            self.said.append(line)
        raise AssertionError(self.said)


Begin = Callable[[str, Any], Attempt]


@pytest.fixture(scope="module")
def begin() -> Iterator[Begin]:
    """Return a function that begins an ingest from a URL into a warehouse."""
    command = [sys.executable, "-W", "ignore", "-c", _INGEST]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, text=True, cwd=Path(__file__).parent, **pipes) as process:

        def start(url: str, warehouse: Any) -> Attempt:
            place = warehouse.database
            login = {"host": place.host, "port": place.port, "name": place.name, "user": place.user}
            attempt = Attempt(process)
            attempt.begin(url, {**login, "password": place.password.get_secret_value()}, str(FIRST), str(END))
            return attempt

        yield start


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.perf_counter() + _PATIENCE_S
    while not condition():
        if time.perf_counter() > deadline:
            raise AssertionError(f"waited {_PATIENCE_S:.0f} s for {what}")
        time.sleep(0.005)


@contextmanager
def locked(warehouse: Any, table: str | None) -> Iterator[Callable[[], bool]]:
    """Keep everybody else from writing a table; yield a function that tells whether somebody waits for it."""
    if table is None:
        yield lambda: True
        return
    query = "select exists (select 1 from pg_locks where relation = %s::regclass and not granted)"
    with psycopg.connect(warehouse.url("owner")) as connection:
        connection.execute(f"lock table {table} in share mode")
        yield lambda: bool(connection.execute(query, (table,)).fetchall()[0][0])


def contents(ask: Ask, warehouse: Any) -> dict[str, tuple[Any, ...]]:
    """Return rows and hash of everything an ingest leaves, without ids and times of its own."""
    named = "join ops.instrument_tickers as tickers using (instrument_id)"
    values = "ticker, ts, open, high, low, close, volume, vwap, trade_count"
    queries = {
        "minutes": f"select {values}, reason, ingests.source from raw.massive__bars_1m as bars {named} "
        "join ops.ingests using (ingest_id)",
        "history": "select * from raw.massive__bars_1m_history",
        "counted": f"select ticker, timeframe, session, bars, first_ts, last_ts from ops.bar_sessions {named}",
        "quarantine": f"select {values}, timeframe, seq, rules from raw.massive__quarantine {named}",
        "findings": f"select ticker, timeframe, ts, session, rule, severity, evidence, state from ops.findings {named}",
        "windows": "select ticker, timeframe, start_session, end_session, status, rows_seen, rows_held "
        f"from ops.ingest_windows {named}",
        "sessions": "select calendar, session, open, close, pre_open, post_close from ops.sessions",
        "instruments": f"select ticker, is_tracked from ops.instruments {named}",
    }
    hashed = "select count(*), md5(coalesce(string_agg(t::text, '|' order by t::text), '')) from ({}) as t"
    return {name: ask(warehouse, hashed.format(query))[0] for name, query in queries.items()}


def partial_windows(ask: Ask, warehouse: Any) -> list[tuple[Any, ...]]:
    """Return the windows of which some rows are visible and others are not."""
    query = """
        select windows.window_id, windows.status, count(bars.ts) from ops.ingest_windows as windows
        left join (select ingests.window_id, ts from raw.massive__bars_1m join ops.ingests using (ingest_id)
            union all select window_id, ts from raw.massive__quarantine) as bars using (window_id)
        group by windows.window_id
        having count(bars.ts) not in (0, windows.rows_seen)
    """
    return ask(warehouse, query)


@pytest.fixture(scope="module")
def undisturbed(postgres: Any, provider: Provider, begin: Begin, ask: Ask) -> Iterator[dict[str, tuple[Any, ...]]]:
    warehouse = postgres.create("undisturbed")
    provider.moments.plan(None)
    attempt = begin(provider.url, warehouse)
    assert attempt.end() == 0, attempt.said
    assert provider.moments.seen == _REQUESTS
    yield contents(ask, warehouse)
    postgres.drop(warehouse)


def test_undisturbed_run_brings_in_the_tape(undisturbed: dict[str, tuple[Any, ...]], tape: Tape) -> None:
    bad = [tape.bars(symbol, Timeframe.M1).filter(pl.col("high") < pl.col("open")).height for symbol in SYMBOLS]
    counted = {name: count for name, (count, _) in undisturbed.items()}
    assert counted["quarantine"] == counted["findings"] == sum(bad)
    assert min(bad) > 2
    assert counted["minutes"] == 2 * _SESSIONS * _BARS_A_SESSION - sum(bad)
    assert (counted["windows"], counted["history"], counted["instruments"]) == (4, 0, 2)


Again = tuple[Any, dict[str, tuple[Any, ...]]]


@pytest.fixture
def again(postgres: Any, undisturbed: dict[str, tuple[Any, ...]]) -> Iterator[Again]:
    """A warehouse to kill ingests in, and what an undisturbed one holds."""
    warehouse = postgres.create("killed")
    yield warehouse, undisturbed
    postgres.drop(warehouse)


@pytest.mark.parametrize("moment", MOMENTS)
def test_kill_then_resume_leaves_the_rows_of_an_undisturbed_run(
    moment: str, provider: Provider, begin: Begin, ask: Ask, again: Again
) -> None:
    slow_request, table = MOMENTS[moment]
    warehouse, undisturbed = again
    provider.moments.plan(slow_request)
    attempt = begin(provider.url, warehouse)
    until(lambda: provider.moments.seen >= (slow_request or 0), moment)
    with locked(warehouse, table) as is_waiting:
        until(is_waiting, moment)
        attempt.kill()
    assert partial_windows(ask, warehouse) == []
    done = ask(warehouse, "select count(*) from ops.ingest_windows where status = 'published'")[0][0]
    provider.moments.plan(None)
    last = begin(provider.url, warehouse)
    assert last.end() == 0, last.said
    assert contents(ask, warehouse) == undisturbed
    assert ask(warehouse, "select count(*) from ops.ingest_windows where status <> 'published'") == [(0,)]
    # Windows that were done are not asked for again.
    assert ask(warehouse, "select count(*) from ops.ingest_windows where attempts > 1")[0][0] <= 4 - done
