"""Repair from end to end over the stand-in: held, asked again, proposed, applied, taken back."""

import json
from collections.abc import Callable, Iterator, Mapping
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
from chandlery.errors import Blocked, NotFound, Unavailable, WrongState
from chandlery.market.calendar import sessions
from chandlery.market.symbols import AssetClass, Instrument
from chandlery.market.timeframes import Timeframe
from chandlery.quality.repairs.proposal import Method, Proposal
from chandlery.quality.series.view import SeriesView
from chandlery.sources import MassiveSource, OpenGate
from chandlery.sources.standin import ConnectionLostError, ask, create_app
from chandlery.sources.standin.faults import FAULTS, FaultScript, Planned
from chandlery.sources.tapes import Tape
from chandlery.steps.bars import ingest_bars
from chandlery.steps.calendar import build_calendar
from chandlery.steps.repair_ladder import Propose
from chandlery.steps.repairs import (
    Methods,
    RepairReceipt,
    approve_finding,
    computed_repairs,
    dismiss_finding,
    find_repairs,
    propose_repairs,
    read_repair,
    revert_repair,
)
from chandlery.steps.universe import sync_universe
from chandlery.store.findings import StoredFinding, events_of
from chandlery.store.history import Series, bars_as_of
from chandlery.store.warehouse import Warehouse

Ask = Callable[..., list[tuple[Any, ...]]]

TAPES = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "tapes"
START, END = date(2016, 4, 18), date(2016, 4, 20)
NEW_YORK = ZoneInfo("America/New_York")
AGGREGATES = "/v2/aggs/ticker/AAPL/*"
GARBLED = {"nan_value": "values_are_finite", "infinite_value": "values_are_finite", "huge_value": "high_covers_body"}


@dataclass
class Provider:
    """A stand-in in process, its client, and the requests that came."""

    tape: Tape
    script: FaultScript = field(default_factory=FaultScript)
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.app = create_app(self.tape, faults=self.script)
        self.source = MassiveSource(
            base_url="https://api.massive.com",
            api_key=SecretStr("any"),
            gate=OpenGate(),
            retries=1,
            timeout_s=5.0,
            transport=httpx.MockTransport(self._answer),
            sleep=lambda _: None,
            random=Random(1),
        )

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.path)
        try:
            answered = ask(self.app, request.url.raw_path.decode("ascii"), headers=dict(request.headers))
        except ConnectionLostError as error:
            raise httpx.ConnectError("connection dropped") from error
        return httpx.Response(answered.status, headers=dict(answered.headers), content=answered.content)


def faulty(tape: Tape, name: str, *, nth: int = 1, times: int = 1, **given: object) -> Provider:
    fault = FAULTS[name].make(**given)
    return Provider(tape, FaultScript(planned=(Planned(fault, path=AGGREGATES, nth=nth, times=times),)))


@pytest.fixture(scope="module")
def minutes() -> pl.DataFrame:
    """Two real sessions of AAPL."""
    if not TAPES.is_dir():
        pytest.skip("recorded data lie beside the checkout in shared/data and are absent here")
    day = pl.from_epoch("t", time_unit="ms").dt.date()
    frame = pl.read_parquet(TAPES / "us_minute/AAPL.parquet")
    return frame.filter(day.is_between(START, END, closed="left")).sort("t")


def tape_of(folder: Path, minutes: pl.DataFrame) -> Tape:
    (folder / "us_minute").mkdir(parents=True)
    minutes.write_parquet(folder / "us_minute" / "AAPL.parquet")
    return Tape.open(folder)


@pytest.fixture(scope="module")
def tape(minutes: pl.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Tape:
    return tape_of(tmp_path_factory.mktemp("tape"), minutes)


@pytest.fixture(scope="module")
def spoilt_tape(minutes: pl.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Tape:
    """The same with the prices of one minute times 100: 100 cents for a dollar."""
    is_bad = pl.int_range(pl.len()) == 100
    prices = [pl.when(is_bad).then(pl.col(name) * 100).otherwise(name).alias(name) for name in PRICES]
    return tape_of(tmp_path_factory.mktemp("spoilt"), minutes.with_columns(prices))


PRICES = ("open", "high", "low", "close")


@pytest.fixture(scope="module")
def ready(postgres: Any, tape: Tape) -> Iterator[str]:
    """Name of a database with universe and calendar, to copy from."""
    warehouse = postgres.create("ready")
    sync_universe(Provider(tape).source, warehouse, symbols=("AAPL",), source_name="massive")
    build_calendar(warehouse, start=START, end=END)
    yield warehouse.database.name
    postgres.drop(warehouse)


@dataclass(frozen=True)
class World:
    """A database with universe and calendar."""

    db: Warehouse
    tape: Tape
    query: Ask

    def ask(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        return self.query(self.db, query, *parameters)

    def ingest(self, provider: Provider, *, end: date = END) -> None:
        ingest_bars(provider.source, self.db, timeframe=Timeframe.M1, start=START, end=end)

    def apple(self, instant: datetime | None = None) -> pl.DataFrame:
        ((number,),) = self.ask("select instrument_id from ops.instrument_tickers where ticker = 'AAPL'")
        since, until = (datetime(day.year, day.month, day.day, tzinfo=NEW_YORK) for day in (START, END))
        return bars_as_of(self.db, Series(number, Timeframe.M1, since, until), instant)

    def quarantine(self) -> list[tuple[Any, ...]]:
        columns = "window_id, seq, ts, open::text, high::text, low::text, close::text, volume::text, rules, held_at"
        return self.ask(f"select {columns} from raw.massive__quarantine order by seq")

    def touched(self) -> list[tuple[Any, ...]]:
        """Return bars and ingest of each session."""
        return self.ask("select session, bars, ingest_id from ops.bar_sessions order by 1")

    def finding(self, rule: str) -> int:
        ((number,),) = self.ask("select finding_id from ops.findings where rule = %s", rule)
        return int(number)

    def state(self, finding_id: int) -> str:
        ((state,),) = self.ask("select state from ops.findings where finding_id = %s", finding_id)
        return str(state)

    def states(self) -> list[str]:
        return [state for (state,) in self.ask("select state from ops.findings")]

    def events(self, finding_id: int) -> list[str]:
        with self.db.read() as connection:
            return [event.event for event in events_of(connection, finding_id)]

    def propose(self, provider: Provider | None, **choices: Any) -> RepairReceipt:
        return propose_repairs(None if provider is None else provider.source, self.db, **choices)


@pytest.fixture
def world(postgres: Any, ready: str, tape: Tape, ask: Ask) -> Iterator[World]:
    made = postgres.create(template=ready)
    yield World(made, tape, ask)
    postgres.drop(made)


@pytest.mark.parametrize("fault", GARBLED)
def test_garbled_bar_is_held_asked_again_and_repaired_exactly(world: World, minutes: pl.DataFrame, fault: str) -> None:
    world.ingest(faulty(world.tape, fault))
    before, held, instant = world.apple(), world.quarantine(), clock.now()
    assert (before.height, len(held)) == (779, 1)
    healed = Provider(world.tape)
    receipt = world.propose(healed, auto_apply=True, actor="ann")
    session = str(held[0][2].astimezone(NEW_YORK).date())
    assert [path.split("/")[-2:] for path in healed.asked] == [[session, session]] * 2
    whole = world.apple()
    assert whole["close"].to_list() == minutes["close"].to_list()
    assert (world.quarantine(), world.apple(instant).equals(before)) == ([], True)
    assert set(world.states()) == {"repaired"}
    ts = held[0][2]
    assert world.ask(
        "select reason, source from raw.massive__bars_1m join ops.ingests using (ingest_id) where ts = %s", ts
    ) == [("repair", "repair:refetch")]
    (applied,) = (step for step in receipt.steps if step.outcome == "applied")
    assert applied.repair_id is not None
    repair = read_repair(world.db, applied.repair_id)
    assert (repair.status, repair.method, repair.is_exact) == ("applied", "refetch", True)
    ((requests,),) = world.ask("select request_ids from ops.ingests where source = 'repair:refetch'")
    assert requests == repair.evidence["request_ids"] != []

    revert_repair(world.db, repair.repair_id, actor="ann", note="checking")
    assert world.apple().equals(before)
    assert world.quarantine() == held
    assert set(world.states()) == {"open"}
    assert [bars for _, bars, _ in world.touched()] == [390, 389]

    world.ingest(Provider(world.tape))
    assert world.apple().equals(whole)


def test_exact_proposal_waits_unless_it_may_be_applied(world: World) -> None:
    world.ingest(faulty(world.tape, "nan_value"))
    (step,) = world.propose(Provider(world.tape)).steps
    assert (step.outcome, step.method) == ("proposed", "refetch")
    (again,) = world.propose(Provider(world.tape)).steps
    assert (again.outcome, again.repair_id) == ("unchanged", step.repair_id)
    assert world.events(step.finding_id) == ["repair_proposed"]
    assert (world.apple().height, len(world.quarantine())) == (779, 1)
    assert approve_finding(world.db, step.finding_id, actor="ann").state == "repaired"
    assert world.apple().height == 780
    assert world.propose(Provider(world.tape)).steps == ()


def test_bar_that_stays_garbled_is_noted_once(world: World) -> None:
    bad = faulty(world.tape, "nan_value", times=0)
    world.ingest(bad, end=START + timedelta(days=1))
    finding = world.finding("values_are_finite")
    for _ in range(2):
        (step,) = world.propose(bad).steps
        assert (step.outcome, step.repair_id) == ("refetch_unchanged", None)
    assert world.events(finding) == ["refetch_unchanged"]
    assert find_repairs(world.db) == ()


def test_two_answers_that_differ_prove_nothing(world: World) -> None:
    world.ingest(faulty(world.tape, "nan_value"))
    (step,) = world.propose(faulty(world.tape, "bar_revised", nth=2)).steps
    assert step.outcome == "refetch_unequal"
    assert find_repairs(world.db) == ()


def test_repair_of_a_held_bar_survives_that_it_is_sent_garbled_again(world: World) -> None:
    world.ingest(faulty(world.tape, "nan_value"))
    world.propose(Provider(world.tape), auto_apply=True)
    whole, sessions = world.apple(), world.touched()
    world.ingest(faulty(world.tape, "nan_value"))
    assert (world.apple().equals(whole), world.quarantine(), world.touched()) == (True, [], sessions)
    assert world.state(world.finding("values_are_finite")) == "repaired"


def test_values_a_person_took_back_are_not_applied_by_themselves(world: World) -> None:
    world.ingest(faulty(world.tape, "nan_value"))
    (step,) = world.propose(Provider(world.tape), auto_apply=True).steps
    assert step.repair_id is not None
    revert_repair(world.db, step.repair_id, actor="ann")
    (again,) = world.propose(Provider(world.tape), auto_apply=True).steps
    assert again.outcome == "proposed"
    assert world.apple().height == 779


def test_window_that_is_held_as_a_whole_is_no_matter_of_repairs(world: World) -> None:
    with pytest.raises(Blocked, match="held by the audit"):
        world.ingest(faulty(world.tape, "field_missing"))
    assert world.propose(Provider(world.tape)).steps == ()


def test_source_that_is_down_costs_the_first_rung_only(world: World) -> None:
    world.ingest(faulty(world.tape, "nan_value"))
    down = faulty(world.tape, "server_error_500", times=0)
    receipt = world.propose(down)
    assert [step.outcome for step in receipt.steps] == ["none"]
    assert isinstance(receipt.failures["AAPL"], Unavailable)


INJECT = """
insert into ops.findings
    (instrument_id, calendar, timeframe, ts, session, last_session, rule, "check", severity, verdict, term, evidence)
select instrument_id, 'NYSE', '1m', %s, '2016-04-18', '2016-04-18', 'unit_is_right', 12, 'major', 'confirmed',
    'plausibility', %s from ops.instrument_tickers where ticker = 'AAPL' returning finding_id
"""
EVIDENCE = {"factor": 100, "fields": "open,high,low,close", "decided_by": "timeframe", "bars": 1, "right_share": 0.99}


@pytest.fixture
def spoilt(world: World, spoilt_tape: Tape) -> tuple[World, int]:
    """A warehouse with the bar of 100x, and the finding about it."""
    world.ingest(Provider(spoilt_tape))
    ts = world.apple()["ts"][100]
    with world.db.write() as connection:
        number = connection.exec_driver_sql(INJECT, (ts, json.dumps(EVIDENCE))).scalar_one()
    return world, int(number)


def a_hundredth(view: SeriesView, finding: Mapping[str, object]) -> Proposal:
    before = view.bars.filter(pl.col("ts") == finding["ts"])
    after = before.with_columns([(pl.col(name) / 100).alias(name) for name in PRICES])
    return Proposal(Method.ARITHMETIC, is_exact=True, before=before, after=after, evidence={"factor": 100})


def by_hand(world: World, method: Propose = a_hundredth) -> Methods:
    """Return one method over a view that holds what is published, and nothing around it."""

    def view_of(finding: StoredFinding) -> SeriesView:
        calendar = sessions("NYSE", START, END)
        instrument = Instrument(finding.instrument_id or 0, "AAPL", AssetClass.STOCKS, "NYSE")
        return SeriesView(instrument, Timeframe.M1, START, END, world.apple(), calendar, calendar["session"])

    return Methods(view_of, method)


def test_unit_error_is_proposed_by_arithmetic_and_applied_by_a_person(
    spoilt: tuple[World, int], spoilt_tape: Tape, minutes: pl.DataFrame
) -> None:
    world, finding = spoilt
    bad, before = Provider(spoilt_tape), world.apple()
    methods = computed_repairs(world.db, {})
    (step,) = (item for item in world.propose(bad, methods=methods).steps if item.finding_id == finding)
    assert (step.outcome, step.method) == ("proposed", "arithmetic")
    assert world.events(finding) == ["refetch_unchanged", "repair_proposed"]
    sessions = world.touched()
    approve_finding(world.db, finding, actor="ann", note="cents")
    closes = world.apple()["close"].to_list()
    assert closes[100] == pytest.approx(minutes["close"][100], rel=1e-12)
    assert closes[:100] + closes[101:] == minutes["close"].to_list()[:100] + minutes["close"].to_list()[101:]
    now = world.touched()
    assert (now[0][2] > sessions[0][2], now[1]) == (True, sessions[1]), "only the session of the bar is due"

    repaired = world.apple()
    world.ingest(bad)
    assert world.apple().equals(repaired), "the same bad answer keeps the repair"
    assert world.touched() == now
    assert step.repair_id is not None
    revert_repair(world.db, step.repair_id, actor="ann")
    assert world.apple().equals(before)


def test_answer_with_other_values_supersedes_the_repair(spoilt: tuple[World, int], tape: Tape) -> None:
    world, finding = spoilt
    world.propose(None, methods=by_hand(world), findings=[finding], auto_apply=True)
    place = int(world.apple()["ts"][100].timestamp() * 1000)
    world.ingest(faulty(tape, "bar_revised", symbol="AAPL", t=place, factor=1.01))
    reasons = world.ask("select reason from raw.massive__bars_1m where reason <> 'first'")
    assert reasons == [("vendor_correction",)]
    assert [repair.status for repair in find_repairs(world.db)] == ["superseded"]
    assert world.events(finding)[-1] == "repair_superseded"


def test_kill_between_proposal_and_approval_loses_nothing(spoilt: tuple[World, int]) -> None:
    world, finding = spoilt
    (step,) = world.propose(None, methods=by_hand(world), findings=[finding]).steps
    reopened = Warehouse(world.db.database)
    assert [repair.status for repair in find_repairs(reopened, symbol="AAPL")] == ["proposed"]
    assert approve_finding(reopened, finding, actor="bob").state == "repaired"
    assert [(repair.repair_id, repair.status, repair.decided_by) for repair in find_repairs(reopened)] == [
        (step.repair_id, "applied", "bob")
    ]


def test_method_that_raises_costs_its_own_finding_only(spoilt: tuple[World, int]) -> None:
    world, finding = spoilt

    def broken(view: SeriesView, _: Mapping[str, object]) -> Proposal | None:
        raise ZeroDivisionError(view.timeframe)

    (step,) = world.propose(None, methods=by_hand(world, broken), findings=[finding]).steps
    assert (step.outcome, step.error) == ("failed", "ZeroDivisionError: 1m")


def test_proposal_the_audit_objects_to_is_not_kept(spoilt: tuple[World, int]) -> None:
    world, finding = spoilt

    def absurd(view: SeriesView, row: Mapping[str, object]) -> Proposal:
        right = a_hundredth(view, row)
        after = right.after.with_columns(low=pl.col("high") + 1)
        return Proposal(right.method, is_exact=True, before=right.before, after=after, evidence={})

    (step,) = world.propose(None, methods=by_hand(world, absurd), findings=[finding]).steps
    assert (step.outcome, find_repairs(world.db)) == ("held_again", ())


def test_dismissed_finding_is_proposed_for_no_more(spoilt: tuple[World, int]) -> None:
    world, finding = spoilt
    world.propose(None, methods=by_hand(world), findings=[finding])
    dismiss_finding(world.db, finding, actor="ann", note="a real print")
    assert [repair.status for repair in find_repairs(world.db)] == ["rejected"]
    assert world.propose(None, methods=by_hand(world)).steps == ()
    with pytest.raises(WrongState, match="which is dismissed"):
        world.propose(None, findings=[finding])


@pytest.mark.parametrize(
    ("choices", "words"),
    [({"findings": [999]}, "Finding 999 does not exist"), ({"symbols": ["TSLA"]}, "TSLA")],
)
def test_unknown_finding_or_symbol_is_not_found(world: World, choices: dict[str, Any], words: str) -> None:
    with pytest.raises(NotFound, match=words):
        world.propose(None, **choices)
