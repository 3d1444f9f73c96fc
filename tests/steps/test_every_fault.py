"""Every fault of the stand-in through the whole ingest: it ends in the warehouse as the registry promises."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import polars as pl
import pytest
from pydantic import SecretStr

from chandlery import clock
from chandlery.errors import BadPayload, NotEntitled, RateLimited, SourceError, Unavailable
from chandlery.market.actions import ActionKind
from chandlery.market.timeframes import Timeframe
from chandlery.sources import FlatFiles, Gate, MassiveSource, OpenGate
from chandlery.sources.pacing import pace_of
from chandlery.sources.standin import ConnectionLostError, ask, create_app
from chandlery.sources.standin.faults import FAULTS, FaultScript, Planned
from chandlery.sources.tapes import Tape
from chandlery.steps.actions import find_actions, ingest_actions
from chandlery.steps.bars import IngestReceipt, ingest_bars
from chandlery.steps.calendar import build_calendar
from chandlery.steps.market_days import MarketReceipt, ingest_flat_files, ingest_market_days
from chandlery.steps.source import shared_gate
from chandlery.steps.universe import sync_universe
from chandlery.store.history import Series, bars_as_of
from chandlery.store.warehouse import Warehouse

Ask = Callable[..., list[tuple[Any, ...]]]

TAPES = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "tapes"
START, END = date(2016, 4, 18), date(2016, 4, 23)
"""Five sessions of 390 minutes for each of two stocks: two pages each."""
PAGE = 1000
TIMEOUT_S = 5.0
WHOLE = {"AAPL": 1950, "MSFT": 1950}
HOST = "api.massive.com"
OLD_DAYS = (date(2005, 1, 3), date(2005, 5, 1))
SPLIT_DAY = date(2005, 2, 28)
NEW_YORK = ZoneInfo("America/New_York")

RETRIED: dict[str, type[SourceError]] = {
    **dict.fromkeys(("rate_limited", "rate_limited_without_body", "rate_limited_with_retry_after"), RateLimited),
    **dict.fromkeys(("server_error_500", "server_error_502", "server_error_504"), Unavailable),
    **dict.fromkeys(("connection_dropped", "read_timeout", "closed_in_mid_body"), Unavailable),
    "truncated_json": BadPayload,
}
"""Asked again in silence; what stays is this error."""
EMPTY = ("results_null", "empty_without_results", "empty_with_null", "empty_with_list")
REFUSED: dict[str, type[SourceError]] = {
    **dict.fromkeys(("duplicate_page", "other_ticker_echoed", "garbage_row", "field_retyped"), BadPayload),
    **dict.fromkeys(("adjusted_unasked", "next_url_loop", "html_page"), BadPayload),
    **dict.fromkeys(("key_revoked", "forbidden", "forbidden_in_error", "not_authorized_in_body"), NotEntitled),
}
SEEN_THROUGH = (
    *("page_out_of_order", "duplicate_row", "bar_outside_the_range", "field_added", "next_url_on_a_foreign_host"),
    "payload_too_large",
)
HELD = {
    "nan_value": "values_are_finite",
    "infinite_value": "values_are_finite",
    "huge_value": "high_covers_body",
}
CHANGES = {"bar_revised": ["vendor_correction"], "late_trade": ["late_trade"], "bar_withdrawn": []}
"""Fault -> reasons of the versions it brings; a withdrawn bar has no successor."""
ON_THEIR_OWN = ("field_missing", "garbage_ticker", "duplicate_split", "late_split", "flat_file_replaced")


@dataclass
class Provider:
    """A stand-in in process, its client, and the requests that came."""

    tape: Tape
    script: FaultScript = field(default_factory=FaultScript)
    gate: Gate = field(default_factory=OpenGate)
    asked: list[httpx.URL] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)
    hung: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        async def hang(seconds: float) -> None:
            self.hung.append(seconds)

        self.app = create_app(self.tape, page_limit=PAGE, faults=self.script, sleep=hang, flat_files=True)
        options: dict[str, Any] = {
            "gate": self.gate,
            "retries": 2,
            "timeout_s": TIMEOUT_S,
            "transport": httpx.MockTransport(self._answer),
            "sleep": self.slept.append,
            "random": Random(1),
        }
        self.source = MassiveSource(base_url=f"https://{HOST}", api_key=SecretStr("any"), **options)
        self.files = FlatFiles("https://mirror.example/flatfiles", **options)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url)
        before = len(self.hung)
        try:
            answered = ask(self.app, request.url.raw_path.decode("ascii"), headers=dict(request.headers))
        except ConnectionLostError as error:
            if error.is_begun:
                raise httpx.RemoteProtocolError("peer closed connection in mid body") from error
            raise httpx.ConnectError("connection dropped") from error
        if sum(self.hung[before:]) > TIMEOUT_S:
            raise httpx.ReadTimeout("no byte in time")
        return httpx.Response(answered.status, headers=dict(answered.headers), content=answered.content)


def _minutes_with_counts(symbol: str) -> pl.DataFrame:
    day = pl.from_epoch("t", time_unit="ms").dt.date()
    return (
        pl.read_parquet(TAPES / f"us_minute/{symbol}.parquet")
        .filter(day.is_between(START, END, closed="left"))
        .with_columns(
            vwap=(pl.col("high") + pl.col("low")) / 2, trade_count=(pl.col("volume") // 100).cast(pl.Int64) + 1
        )
        .sort("t")
    )


@pytest.fixture(scope="module")
def minutes() -> dict[str, pl.DataFrame]:
    """Real minutes; mid-prices for vwap and round lots for trades, which the recording lacks."""
    if not TAPES.is_dir():
        pytest.skip("recorded data lie beside the checkout in shared/data and are absent here")
    return {symbol: _minutes_with_counts(symbol) for symbol in WHOLE}


@pytest.fixture(scope="module")
def tape(minutes: dict[str, pl.DataFrame], tmp_path_factory: pytest.TempPathFactory) -> Tape:
    """Those minutes, their days, and the real days of AAPL around its split of 2005."""
    folder = tmp_path_factory.mktemp("tape")
    for name in ("us_minute", "us_daily"):
        (folder / name).mkdir()
    for symbol, frame in minutes.items():
        frame.write_parquet(folder / f"us_minute/{symbol}.parquet")
        local = pl.from_epoch("t", time_unit="ms").dt.date().alias("session")
        prices = [pl.col("open").first(), pl.col("high").max(), pl.col("low").min(), pl.col("close").last()]
        days = frame.group_by(local, maintain_order=True).agg(*prices, pl.col("volume").sum())
        days.with_columns(symbol=pl.lit(symbol)).write_parquet(folder / f"us_daily/{symbol}.parquet")
    old = pl.read_parquet(TAPES / "us_daily/AAPL.parquet").filter(pl.col("session").dt.year() == SPLIT_DAY.year)
    columns = ("symbol", "session", "open", "high", "low", "close", "volume", "split_ratio")
    old.select(columns).write_parquet(folder / "us_daily/AAPL_2005.parquet")
    return Tape.open(folder)


@pytest.fixture(scope="module")
def ready(postgres: Any, tape: Tape) -> Iterator[str]:
    """Name of a database with universe and calendar, to copy from."""
    warehouse = postgres.create("ready")
    sync_universe(Provider(tape).source, warehouse, symbols=tuple(WHOLE), source_name="massive")
    for start, end in (OLD_DAYS, (START, END)):
        build_calendar(warehouse, start=start, end=end)
    yield warehouse.database.name
    postgres.drop(warehouse)


@pytest.fixture
def world(postgres: Any, ready: str, tape: Tape, right: tuple[Any, ...], ask: Ask) -> Iterator["World"]:
    made = postgres.create(template=ready)
    yield World(made, tape, ask, right)
    postgres.drop(made)


def _script(name: str, *, path: str = "/v2/aggs/ticker/AAPL/*", nth: int = 1, times: int = 1, **given: object) -> Any:
    return FaultScript(planned=(Planned(FAULTS[name].make(**given), path=path, nth=nth, times=times),))


def _ingest(provider: Provider, db: Warehouse) -> IngestReceipt:
    return ingest_bars(provider.source, db, timeframe=Timeframe.M1, start=START, end=END)


@dataclass(frozen=True)
class World:
    """A database with universe and calendar, the tape, and what an undisturbed run leaves."""

    db: Warehouse
    tape: Tape
    query: Ask
    right: tuple[Any, ...]

    def ask(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        return self.query(self.db, query, *parameters)

    def provider(self, name: str = "", **planned: Any) -> Provider:
        return Provider(self.tape, _script(name, **planned) if name else FaultScript())

    def fingerprint(self, table: str = "bars_1m") -> tuple[Any, ...]:
        values = "instrument_id, ts, open, high, low, close, volume, vwap, trade_count"
        hashed = f"md5(string_agg(({values})::text, ';' order by instrument_id, ts))"
        return self.ask(f"select count(*), {hashed} from raw.massive__{table}")[0]

    def counts(self, table: str = "bars_1m") -> dict[str, int]:
        tables = f"raw.massive__{table} join ops.instrument_tickers using (instrument_id)"
        return dict(self.ask(f"select ticker, count(*) from {tables} group by 1"))  # type: ignore[arg-type]

    def windows(self, columns: str = "status, error_code") -> dict[str, tuple[Any, ...]]:
        tables = "ops.ingest_windows join ops.instrument_tickers using (instrument_id)"
        return {row[0]: row[1:] for row in self.ask(f"select ticker, {columns} from {tables}")}

    def apple(self, instant: datetime | None = None) -> pl.DataFrame:
        """Return the minutes of AAPL as known at an instant."""
        ((number,),) = self.ask("select instrument_id from ops.instrument_tickers where ticker = 'AAPL'")
        since, until = (datetime(day.year, day.month, day.day, tzinfo=NEW_YORK) for day in (START, END))
        return bars_as_of(self.db, Series(number, Timeframe.M1, since, until), instant)


def _check_no_silent_gap(world: World) -> None:
    """Each session of a published window has its 390 minutes, or what is missing is held, or withdrawn."""
    query = """
        with known as (
            select instrument_id, ts from raw.massive__bars_1m
            union select instrument_id, ts from raw.massive__bars_1m_history
            union select instrument_id, ts from raw.massive__quarantine
        )
        select instrument_id, session, count(ts)
        from ops.ingest_windows join ops.sessions on session >= start_session and session < end_session
        left join known using (instrument_id)
        where calendar = 'NYSE' and status = 'published' and ts >= open and ts < close
        group by instrument_id, session
    """
    published = [symbol for symbol, (status, _) in world.windows().items() if status == "published"]
    assert [row[2] for row in world.ask(query)] == [390] * 5 * len(published)


@pytest.fixture(scope="module")
def right(postgres: Any, ready: str, tape: Tape, ask: Ask) -> Iterator[tuple[Any, ...]]:
    """Fingerprint of the undisturbed run."""
    made = postgres.create(template=ready)
    receipt = _ingest(Provider(tape), made)
    assert (receipt.pages, receipt.requests, receipt.findings) == (4, 4, 0)
    yield World(made, tape, ask, ()).fingerprint()
    postgres.drop(made)


def _check_rerun(world: World) -> None:
    """Once the fault is gone, all is as if it had never been."""
    _ingest(world.provider(), world.db)
    assert world.fingerprint() == world.right
    assert {status for status, _ in world.windows().values()} == {"published"}
    assert world.ask("select count(*) from raw.massive__quarantine") == [(0,)]
    assert world.ask("select count(*) from ops.findings where state = 'open'") == [(0,)]


def test_no_fault_of_the_registry_is_left_out() -> None:
    assert {*FAULTS} == {*RETRIED, *EMPTY, *REFUSED, *SEEN_THROUGH, *HELD, *CHANGES, *ON_THEIR_OWN}


def test_undisturbed_run_holds_what_the_files_hold(minutes: dict[str, pl.DataFrame], world: World) -> None:
    _ingest(world.provider(), world.db)
    for symbol, frame in minutes.items():
        stored = world.ask(
            "select (extract(epoch from ts) * 1000)::bigint, open, high, low, close, volume, vwap, trade_count "
            "from raw.massive__bars_1m join ops.instrument_tickers using (instrument_id) where ticker = %s order by ts",
            symbol,
        )
        assert stored == frame.select("t", "open", "high", "low", "close", "volume", "vwap", "trade_count").rows()
    assert world.right[0] == 3900
    _check_no_silent_gap(world)


@pytest.mark.parametrize("name", [*RETRIED, *EMPTY])
def test_fault_that_passes_costs_a_request_and_no_bar(world: World, name: str) -> None:
    provider = world.provider(name, nth=2)
    receipt = _ingest(provider, world.db)
    assert world.fingerprint() == world.right
    assert (receipt.pages, receipt.requests, receipt.findings, len(provider.asked)) == (4, 5, 0, 5)
    assert world.windows() == dict.fromkeys(WHOLE, ("published", None))
    if name == "rate_limited_with_retry_after":
        assert provider.slept[0] >= 21


@pytest.mark.parametrize("name", RETRIED)
def test_fault_that_stays_fails_its_window_and_shows_nothing_of_it(world: World, name: str) -> None:
    error = RETRIED[name]
    with pytest.raises(error, match="AAPL could not be ingested"):
        _ingest(world.provider(name, nth=2, times=0), world.db)
    is_down = error in (RateLimited, Unavailable)
    assert world.counts() == ({} if is_down else {"MSFT": 1950})
    other = "planned" if is_down else "published"
    assert world.windows() == {"AAPL": ("failed", error.code), "MSFT": (other, None)}
    _check_no_silent_gap(world)
    _check_rerun(world)


@pytest.mark.parametrize("name", EMPTY)
def test_empty_answer_that_stays_is_suspected_until_a_later_run_agrees(world: World, name: str) -> None:
    hollow = world.provider(name, times=0)
    receipt = _ingest(hollow, world.db)
    assert receipt.suspected_empty == ("AAPL 1m 2016-04-18 to 2016-04-23",)
    assert world.counts() == {"MSFT": 1950}
    assert world.windows() == {"AAPL": ("empty_suspected", None), "MSFT": ("published", None)}
    _ingest(hollow, world.db)
    assert world.windows()["AAPL"] == ("empty", None)
    _check_rerun(world)


@pytest.mark.parametrize("name", EMPTY)
def test_promised_page_that_stays_empty_is_no_end_of_the_bars(world: World, name: str) -> None:
    with pytest.raises(BadPayload, match="promised by a next_url and has no rows"):
        _ingest(world.provider(name, nth=2, times=0), world.db)
    assert world.counts() == {"MSFT": 1950}
    assert world.windows() == {"AAPL": ("failed", "bad_payload"), "MSFT": ("published", None)}
    _check_rerun(world)


@pytest.mark.parametrize("name", REFUSED)
def test_refused_answer_fails_its_window_and_no_other(world: World, name: str) -> None:
    nth = 2 if name == "duplicate_page" else 1
    provider = world.provider(name, nth=nth)
    with pytest.raises(REFUSED[name], match="AAPL could not be ingested"):
        _ingest(provider, world.db)
    # One retry, and it would have healed: so there was none.
    assert len([url for url in provider.asked if "/AAPL/" in url.path]) == nth
    assert world.counts() == {"MSFT": 1950}
    assert world.windows() == {"AAPL": ("failed", REFUSED[name].code), "MSFT": ("published", None)}
    _check_no_silent_gap(world)
    _check_rerun(world)


@pytest.mark.parametrize("name", SEEN_THROUGH)
def test_fault_that_can_be_seen_through_changes_no_bar(world: World, name: str) -> None:
    provider = world.provider(name)
    receipt = _ingest(provider, world.db)
    assert world.fingerprint() == world.right
    assert receipt.findings == 0
    dropped = 1 if name == "bar_outside_the_range" else 0
    assert world.windows("status, rows_dropped") == {"AAPL": ("published", dropped), "MSFT": ("published", 0)}
    assert {url.host for url in provider.asked} == {HOST}


def test_single_session_that_is_too_large_fails(world: World) -> None:
    with pytest.raises(BadPayload, match="413"):
        _ingest(world.provider("payload_too_large", times=0), world.db)
    assert world.windows() == {"AAPL": ("failed", "bad_payload"), "MSFT": ("published", None)}
    _check_rerun(world)


@pytest.mark.parametrize("name", HELD)
def test_value_no_bar_can_have_is_held_and_published_around(world: World, name: str) -> None:
    receipt = _ingest(world.provider(name), world.db)
    assert (receipt.total("rows_new"), receipt.total("rows_held")) == (3899, 1)
    ((ts, rules),) = world.ask("select ts, rules from raw.massive__quarantine")
    assert HELD[name] in rules
    assert world.ask("select count(*) from raw.massive__bars_1m where ts = %s", ts) == [(1,)], "of MSFT"
    assert world.ask("select distinct ts from ops.findings where rule = %s", HELD[name]) == [(ts,)]
    _check_no_silent_gap(world)
    _check_rerun(world)


def test_rows_of_one_instant_that_differ_are_both_held(world: World) -> None:
    receipt = _ingest(world.provider("duplicate_row", differs=True), world.db)
    assert (receipt.total("rows_new"), receipt.total("rows_held")) == (3899, 2)
    assert world.ask("select rules, count(*) from raw.massive__quarantine group by 1") == [(["key_is_unique"], 2)]
    _check_no_silent_gap(world)
    _check_rerun(world)


def test_page_without_a_close_holds_the_whole_window(world: World) -> None:
    receipt = _ingest(world.provider("field_missing"), world.db)
    assert receipt.blocked == ("AAPL 1m 2016-04-18 to 2016-04-23",)
    assert world.counts() == {"MSFT": 1950}
    assert world.windows() == {"AAPL": ("quarantined", "blocked"), "MSFT": ("published", None)}
    assert world.ask("select count(*) from raw.massive__quarantine") == [(1950,)]
    _check_rerun(world)


@pytest.mark.parametrize("name", CHANGES)
def test_changed_bar_becomes_a_version_and_the_state_before_stays(world: World, name: str) -> None:
    _ingest(world.provider(), world.db)
    before, instant = world.apple(), clock.now()
    changed = world.provider(name)
    receipt = _ingest(changed, world.db)
    revised = len(CHANGES[name])
    figures = [receipt.total(figure) for figure in ("rows_new", "rows_revised", "rows_withdrawn")]
    assert figures == [0, revised, 1 - revised]
    reasons = world.ask("select reason from raw.massive__bars_1m where reason <> 'first'")
    assert [reason for (reason,) in reasons] == CHANGES[name]
    ((ts, close, reason),) = world.ask("select ts, close, reason from raw.massive__bars_1m_history")
    assert (close, reason) == (before.filter(pl.col("ts") == ts)["close"].item(), "first")
    assert world.apple(instant).equals(before)
    assert not world.apple().equals(before)
    assert world.fingerprint() != world.right
    again = _ingest(changed, world.db)
    assert (again.sessions, again.findings) == (0, 0)
    _check_no_silent_gap(world)
    _check_rerun(world)
    assert world.apple(instant).equals(before)


def _market_days(provider: Provider, db: Warehouse) -> MarketReceipt:
    return ingest_market_days(provider.source, db, start=START, end=END)


def test_garbage_ticker_of_a_market_day_is_dropped_and_counted(world: World) -> None:
    receipt = _market_days(world.provider("garbage_ticker", path="/v2/aggs/grouped/*", nth=2), world.db)
    assert (receipt.dropped, receipt.bars.requests, receipt.bars.findings) == (1, 5, 0)
    assert world.counts("bars_1d") == {"AAPL": 5, "MSFT": 5}
    before = world.fingerprint("bars_1d")
    assert _market_days(world.provider(), world.db).bars.sessions == 0
    assert world.fingerprint("bars_1d") == before


def _flat(provider: Provider, db: Warehouse) -> MarketReceipt:
    return ingest_flat_files(provider.files, db, timeframe=Timeframe.M1, start=START, end=END)


def test_flat_file_that_is_replaced_is_read_again_and_its_change_is_a_version(world: World) -> None:
    provider = world.provider("flat_file_replaced", path="/flatfiles/*/2016-04-19.csv.gz", nth=2)
    first = _flat(provider, world.db)
    assert (first.bars.total("rows_new"), first.unchanged) == (3900, ())
    before, instant = world.apple(), clock.now()
    second = _flat(provider, world.db)
    assert len(second.unchanged) == 4
    assert [second.bars.total(figure) for figure in ("rows_new", "rows_revised", "rows_withdrawn")] == [0, 1, 0]
    ((ts, volume),) = world.ask("select ts, volume from raw.massive__bars_1m_history")
    assert world.ask("select volume from raw.massive__bars_1m where reason <> 'first'") == [(volume + 100.0,)]
    assert ts.astimezone(NEW_YORK).date() == date(2016, 4, 19)
    assert world.apple(instant).equals(before)
    assert len(_flat(provider, world.db).unchanged) == 5


@pytest.fixture
def old(world: World) -> World:
    """With the real days of AAPL around 2005-02-28, when one share became two."""
    assert _ingest_old_days(world.provider(), world.db).total("rows_new") == 82
    return world


def _ingest_old_days(provider: Provider, db: Warehouse) -> IngestReceipt:
    start, end = OLD_DAYS
    spans = {"AAPL": OLD_DAYS}
    return ingest_bars(provider.source, db, timeframe=Timeframe.D1, start=start, end=end, spans=spans)


def _judged(provider: Provider, db: Warehouse) -> list[str]:
    """Return the days of the splits that are not accepted."""
    return [line["ex_date"] for line in ingest_actions(provider.source, db, source_name="massive").doubted]


def _splits(db: Warehouse, as_of: datetime | None = None) -> dict[date, str]:
    actions = find_actions(db, "AAPL", kind=ActionKind.SPLIT, as_of=as_of)
    return {action.ex_date: action.status.value for action in actions}


def test_split_listed_twice_is_accepted_where_the_price_jumps_only(old: World) -> None:
    doubled = old.provider("duplicate_split", path="/v3/reference/splits", times=0, days_earlier=6)
    false_day = SPLIT_DAY - timedelta(days=6)
    assert _judged(doubled, old.db) == [str(false_day)]
    found = _splits(old.db)
    assert found[SPLIT_DAY] == "accepted"
    assert found[false_day] in ("rejected", "suspected")
    assert _judged(old.provider(), old.db) == []
    assert _splits(old.db) == {SPLIT_DAY: "accepted"}


def test_split_listed_late_counts_from_when_it_was_known_and_touches_no_bar(old: World, tmp_path: Path) -> None:
    (tmp_path / "us_daily").mkdir()
    days = pl.read_parquet(old.tape.folder / "us_daily/AAPL_2005.parquet").drop("split_ratio")
    days.write_parquet(tmp_path / "us_daily/AAPL.parquet")
    listed = {"symbol": "AAPL", "execution_date": SPLIT_DAY, "split_from": 1, "split_to": 2}
    late = Provider(Tape.open(tmp_path), _script("late_split", path="/v3/reference/splits", nth=2, **listed))
    bars = old.fingerprint("bars_1d")
    _judged(late, old.db)
    assert _splits(old.db) == {}
    instant = clock.now()
    assert _judged(late, old.db) == []
    assert _splits(old.db) == {SPLIT_DAY: "accepted"}
    assert _splits(old.db, as_of=instant) == {}
    again = _ingest_old_days(late, old.db)
    assert (again.total("rows_seen"), again.sessions) == (82, 0)
    assert old.fingerprint("bars_1d") == bars


def test_every_request_of_a_run_is_logged_with_its_outcome(world: World) -> None:
    names = {1: "rate_limited", 2: "server_error_502", 4: "connection_dropped", 5: "truncated_json"}
    faults = {number: FAULTS[name].make() for number, name in names.items()}
    gate = shared_gate(world.db, HOST, pace_of(5_940), None)
    provider = Provider(world.tape, FaultScript(faults), gate=gate)
    receipt = _ingest(provider, world.db)
    rows = world.ask("select path, attempt, status, outcome from ops.requests order by seq")
    assert [row[1:] for row in rows] == [
        (1, 429, "rate_limited"), (2, 502, "unavailable"), (3, 200, "ok"),
        (1, None, "unavailable"), (2, 200, "bad_payload"), (3, 200, "ok"),
        (1, 200, "ok"), (1, 200, "ok"),
    ]  # fmt: skip
    assert [path.split("/")[4] for path, *_ in rows] == ["AAPL"] * 6 + ["MSFT"] * 2
    assert receipt.requests == len(rows) == len(provider.asked)
    ids = world.ask("select unnest(request_ids) from ops.ingests order by 1")
    logged = "select request_id from ops.requests where outcome = 'ok' order by 1"
    assert ids == world.ask(logged), "a bar leads to its requests"
