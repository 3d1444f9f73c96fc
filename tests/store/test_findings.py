"""Findings have a life: opened, found again, repaired, decided on; nothing is deleted, every step is an event."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

import polars as pl
import pytest

from chandlery.errors import NotFound, QualityError, WrongState
from chandlery.market.findings import FINDING_SCHEMA
from chandlery.market.symbols import AssetClass, Instrument
from chandlery.store.findings import FindingFilter, StoredFinding, decide, events_of, find_finding, list_findings
from chandlery.store.recorded_findings import Recorded, Scope, record, record_batch
from chandlery.store.universe import register_instrument
from chandlery.store.warehouse import Warehouse

Ask = Callable[..., list[tuple[Any, ...]]]
Tell = Callable[..., None]

FIRST = date(2024, 1, 2)
RULES = ("session_has_its_bar", "prices_keep_their_unit")
_NUMBERS = count(1)


def day(place: int) -> date:
    return FIRST + timedelta(days=place)


def instant(place: int) -> datetime:
    return datetime(2024, 1, 2, 5, tzinfo=UTC) + timedelta(days=place)


def found(*places: int, rule: str = RULES[0], until: int | None = None, **changes: object) -> pl.DataFrame:
    """Return one finding a place (days after the first), spanning to `until`."""
    rows = [
        {
            "row": None,
            "ts": instant(place),
            "ts_end": None,
            "session": day(place),
            "last_session": day(until if until is not None else place),
            "rule": rule,
            "check": 8,
            "severity": "major",
            "verdict": "suspected",
            "term": "completeness",
            "evidence": '{"n": 1}',
            **changes,
        }
        for place in places
    ]
    return pl.DataFrame(rows, schema=dict(FINDING_SCHEMA))


@dataclass
class Judged:
    """One instrument's day series and the ways its findings come and go."""

    warehouse: Warehouse
    ask: Ask
    instrument: Instrument

    def scope(self, first: int = 0, end: int = 10, seen_from: int | None = None) -> Scope:
        seen = None if seen_from is None else day(seen_from)
        number = self.instrument.instrument_id
        return Scope(
            calendar="NYSE", timeframe="1d", start=day(first), end=day(end), instrument_id=number, seen_from=seen
        )

    def record(self, frame: pl.DataFrame, *, rules: tuple[str, ...] = RULES, **scope: int) -> Recorded:
        with self.warehouse.write() as connection:
            return record(connection, self.scope(**scope), frame, rules=rules)

    def rows(self, columns: str = "state") -> list[tuple[Any, ...]]:
        query = f"select {columns} from ops.findings where instrument_id = %s order by ts, rule"
        return self.ask(self.warehouse, query, self.instrument.instrument_id)

    def states(self) -> list[str]:
        return [state for (state,) in self.rows()]

    def only(self) -> int:
        ((number,),) = self.rows("finding_id")
        return int(number)

    def events(self) -> list[tuple[str, str, str]]:
        query = (
            "select event, from_state, to_state from ops.finding_events join ops.findings using (finding_id) "
            "where instrument_id = %s order by event_id"
        )
        return self.ask(self.warehouse, query, self.instrument.instrument_id)

    def decide(self, to_state: str, **facts: Any) -> StoredFinding:
        with self.warehouse.write() as connection:
            return decide(connection, self.only(), to_state, actor="ann", **facts)

    def publish(self, place: int, *, known: str, ask: Tell) -> None:
        """Store a version of the day bar at a place, known from an instant."""
        ingest = 1_000_000 + next(_NUMBERS)
        number = self.instrument.instrument_id
        ask(
            self.warehouse,
            f"delete from raw.massive__bars_1d where instrument_id = {number}",
            "insert into ops.ingests (ingest_id, window_id, attempt, source, request_ids, payload_sha256, known_from) "
            f"overriding system value values ({ingest}, 1, 1, 'tape', '{{}}', '', {known})",
            "insert into raw.massive__bars_1d (ts, open, high, low, close, volume, instrument_id, ingest_id, reason) "
            f"values ('{instant(place).isoformat()}', 1, 1, 1, 1, 1, {number}, {ingest}, 'first')",
        )


@pytest.fixture
def series(warehouse: Warehouse, ask: Ask) -> Judged:
    with warehouse.write() as connection:
        instrument = register_instrument(
            connection,
            symbol=f"T{next(_NUMBERS)}",
            asset_class=AssetClass.STOCKS,
            calendar="NYSE",
            name=None,
            source="tape",
        )
    return Judged(warehouse, ask, instrument)


def test_what_is_found_first_opens(series: Judged) -> None:
    assert series.record(found(1, 3)) == Recorded(opened=2)
    assert series.rows('session, rule, "check", severity, verdict, term, evidence, state, window_id') == [
        (day(place), RULES[0], 8, "major", "suspected", "completeness", {"n": 1}, "open", None) for place in (1, 3)
    ]
    assert series.events() == []


def test_equal_judgement_writes_no_row(series: Judged) -> None:
    series.record(found(1, 3))
    before = series.rows("ctid, xmin")
    assert series.record(found(1, 3)) == Recorded()
    assert series.rows("ctid, xmin") == before


def test_found_again_keeps_number_and_birth_and_takes_the_new_word(series: Judged) -> None:
    series.record(found(1))
    before = series.rows("finding_id, found_at")
    again = found(1, verdict="confirmed", severity="critical", evidence='{"n": 2}', until=2, ts_end=instant(2))
    assert series.record(again) == Recorded(refreshed=1)
    assert series.rows("finding_id, found_at") == before
    assert series.rows("verdict, severity, evidence, last_session, ts_end, state") == [
        ("confirmed", "critical", {"n": 2}, day(2), instant(2), "open")
    ]


@pytest.mark.parametrize("decided", ["confirmed", "dismissed"])
def test_verdict_on_a_decided_finding_stays(series: Judged, decided: str) -> None:
    series.record(found(1))
    series.decide(decided)
    assert series.record(found(1, verdict="true_move")) == Recorded()
    assert series.rows("verdict, state") == [("suspected", decided)]


def test_confirmed_finding_follows_its_bars(series: Judged) -> None:
    series.record(found(1, until=3, ts_end=instant(3)))
    series.decide("confirmed")
    shorter = found(1, verdict="explained", evidence='{"n": 2}', until=2, ts_end=instant(2))
    assert series.record(shorter) == Recorded(refreshed=1)
    assert series.rows("verdict, evidence, last_session, ts_end, state") == [
        ("suspected", {"n": 2}, day(2), instant(2), "confirmed")
    ]


def test_found_no_more_is_repaired_and_an_event(series: Judged) -> None:
    series.record(found(1, 3))
    assert series.record(found(3)) == Recorded(repaired=1)
    assert series.states() == ["repaired", "open"]
    assert series.events() == [("found_no_more", "open", "repaired")]


def test_confirmed_finding_found_no_more_is_repaired(series: Judged) -> None:
    series.record(found(1))
    series.decide("confirmed")
    series.record(found())
    assert series.states() == ["repaired"]
    assert series.events()[-1] == ("found_no_more", "confirmed", "repaired")


def test_rule_that_was_not_evaluated_closes_nothing(series: Judged) -> None:
    series.record(found(1))
    assert series.record(found(), rules=RULES[1:]) == Recorded()
    assert series.states() == ["open"]


def test_sessions_that_were_not_judged_close_nothing(series: Judged) -> None:
    series.record(pl.concat([found(1), found(5), found(9)]))
    assert series.record(found(), first=2, end=9) == Recorded(repaired=1)
    assert series.states() == ["open", "repaired", "open"]


def test_span_that_reaches_into_the_judged_sessions_is_closed(series: Judged) -> None:
    series.record(found(1, until=4))
    assert series.record(found(), first=4, end=6) == Recorded(repaired=1)


def test_span_that_began_before_what_the_judge_saw_stays(series: Judged) -> None:
    series.record(found(1, until=4))
    assert series.record(found(), first=4, end=6, seen_from=2) == Recorded()
    assert series.states() == ["open"]


def test_repaired_finding_found_again_opens_with_what_is_new(series: Judged) -> None:
    series.record(found(1))
    number = series.only()
    series.record(found())
    assert series.record(found(1, evidence='{"n": 3}')) == Recorded(reopened=1, refreshed=1)
    assert series.rows("finding_id, state, evidence, decided_at") == [(number, "open", {"n": 3}, None)]
    assert series.events()[-1] == ("found_again", "repaired", "open")


def test_dismissed_finding_stays_dismissed_whatever_is_found(series: Judged, tell: Tell) -> None:
    series.publish(1, known="now() - interval '1 day'", ask=tell)
    series.record(found(1))
    series.decide("dismissed")
    assert series.record(found(1)) == Recorded()
    assert series.record(found()) == Recorded()
    assert series.states() == ["dismissed"]


def test_dismissed_finding_opens_when_its_bar_has_a_newer_version(series: Judged, tell: Tell) -> None:
    series.publish(1, known="now() - interval '1 day'", ask=tell)
    series.record(found(1))
    series.decide("dismissed")
    series.publish(1, known="clock_timestamp() + interval '1 second'", ask=tell)
    assert series.record(found()) == Recorded(), "what is not found does not open"
    assert series.record(found(1)) == Recorded(reopened=1)
    assert series.events() == [("dismissed", "open", "dismissed"), ("bar_changed", "dismissed", "open")]


def test_newer_version_of_another_bar_opens_nothing(series: Judged, tell: Tell) -> None:
    series.record(found(1))
    series.decide("dismissed")
    series.publish(2, known="clock_timestamp() + interval '1 second'", ask=tell)
    assert series.record(found(1)) == Recorded()


def test_thousands_of_findings_come_and_go_in_sets(series: Judged) -> None:
    stamps = pl.datetime_range(instant(0), instant(0) + timedelta(minutes=19_999), "1m", eager=True)
    many = found(0).select(pl.exclude("ts")).join(stamps.alias("ts").to_frame(), how="cross").select(*FINDING_SCHEMA)
    assert series.record(many) == Recorded(opened=20_000)
    assert series.record(many) == Recorded()
    assert series.record(many.tail(1)) == Recorded(repaired=19_999)
    assert len(series.events()) == 19_999


def test_evidence_that_is_no_json_is_refused_and_nothing_is_written(series: Judged) -> None:
    with pytest.raises(QualityError, match=r"session_has_its_bar.*json"):
        series.record(pl.concat([found(1), found(2, evidence='{"n": NaN}')]))
    assert series.rows() == []


def test_findings_about_a_venue_have_their_own_life(warehouse: Warehouse, ask: Ask, series: Judged) -> None:
    number = series.instrument.instrument_id
    whose = pl.Series("instrument_id", [None, number], dtype=pl.Int64)
    frame = found(1, 1, rule="no_minutes_are_missed_together").with_columns(whose)
    scope = Scope(calendar="24/7", timeframe="1m", start=day(0), end=day(9))
    query = "select instrument_id, state from ops.findings where calendar = '24/7' order by 1 nulls first"
    for expected in (Recorded(opened=2), Recorded()):
        with warehouse.write() as connection:
            assert record(connection, scope, frame, rules=["no_minutes_are_missed_together"]) == expected
    with warehouse.write() as connection:
        gone = record(connection, scope, frame.head(1), rules=["no_minutes_are_missed_together"])
    assert gone == Recorded(repaired=1)
    assert ask(warehouse, query) == [(None, "open"), (number, "repaired")]
    with warehouse.read() as connection:
        (venue,) = list_findings(connection, FindingFilter(symbol="24/7"))
    assert (venue.symbol, venue.instrument_id) == ("24/7", None)


def test_gate_replaces_its_own_findings_and_leaves_the_judges(series: Judged) -> None:
    series.record(found(1))
    with series.warehouse.write() as connection:
        record_batch(connection, series.scope(), found(2, rule="key_is_unique"), window_id=7)
    with series.warehouse.write() as connection:
        again = record_batch(connection, series.scope(), found(3, rule="key_is_unique"), window_id=7)
    assert again == Recorded(opened=1, repaired=1)
    assert series.rows("rule, state") == [
        (RULES[0], "open"),
        ("key_is_unique", "repaired"),
        ("key_is_unique", "open"),
    ]


def test_gate_rule_that_could_not_be_evaluated_closes_nothing(series: Judged) -> None:
    for frame, unheard in ((found(2, rule="key_is_unique"), ()), (found(), ("key_is_unique",))):
        with series.warehouse.write() as connection:
            record_batch(connection, series.scope(), frame, window_id=7, unheard=unheard)
    assert series.states() == ["open"]


POSSIBLE = {
    "open": {"confirmed", "dismissed", "repaired"},
    "confirmed": {"dismissed", "open", "repaired"},
    "dismissed": {"open"},
    "repaired": set(),
}


@pytest.mark.parametrize("to_state", ["confirmed", "dismissed", "open", "repaired"])
@pytest.mark.parametrize("state", POSSIBLE)
def test_step_is_taken_or_refused_by_state(series: Judged, state: str, to_state: str) -> None:
    series.record(found(1))
    if state != "open":
        series.decide(state)
    before = series.events()
    if to_state in POSSIBLE[state]:
        assert series.decide(to_state, note="because").state == to_state
        assert series.events()[-1][1:] == (state, to_state)
    else:
        with pytest.raises(WrongState, match=rf"Finding {series.only()} .* and is {state};"):
            series.decide(to_state)
        assert series.events() == before
        assert series.states() == [state]


def test_repair_that_is_undone_opens_the_finding(series: Judged) -> None:
    series.record(found(1))
    series.decide("repaired", event="repair_applied", detail={"repair_id": 3})
    assert series.decide("open", event="repair_undone").decided_at is None
    with pytest.raises(WrongState, match="is open"):
        series.decide("open", event="repair_undone")


def test_event_tells_who_when_and_why(series: Judged) -> None:
    series.record(found(1))
    decided = series.decide("dismissed", note="a test print", detail={"seen": 2})
    with series.warehouse.read() as connection:
        (event,) = events_of(connection, series.only())
    assert (event.event, event.actor, event.from_state, event.to_state) == ("dismissed", "ann", "open", "dismissed")
    assert event.detail == {"note": "a test print", "seen": 2}
    assert decided.found_at < event.happened_at
    assert decided.decided_at is not None


def test_unknown_finding_is_named(warehouse: Warehouse) -> None:
    with warehouse.write() as connection, pytest.raises(NotFound, match="Finding 999999999 does not exist"):
        decide(connection, 999_999_999, "confirmed", actor="ann")
    with warehouse.read() as connection, pytest.raises(NotFound):
        find_finding(connection, 999_999_999)


@pytest.mark.parametrize(
    ("chosen", "places"),
    [
        ({}, [6, 4, 2, 1]),
        ({"rule": RULES[1]}, [4]),
        ({"severity": "critical"}, [2]),
        ({"verdict": "confirmed"}, [6]),
        ({"check": 9}, []),
        ({"timeframe": "1m"}, []),
        ({"first": day(5)}, [6, 1]),
        ({"last": day(2)}, [2, 1]),
        ({"state": "dismissed"}, []),
        ({"state": None}, [6, 4, 2, 1]),
    ],
)
def test_filter_chooses_the_newest_first(series: Judged, chosen: dict[str, Any], places: list[int]) -> None:
    frames = (found(1, until=5), found(2, severity="critical"), found(4, rule=RULES[1]), found(6, verdict="confirmed"))
    series.record(pl.concat(frames))
    with series.warehouse.read() as connection:
        listed = list_findings(connection, FindingFilter(symbol=series.instrument.symbol, **chosen))
    assert [(item.session - FIRST).days for item in listed] == places


def test_pages_hold_every_finding_once(series: Judged) -> None:
    series.record(pl.concat([found(1, 2, 3), found(1, 2, 3, rule=RULES[1])]))
    wanted, seen = FindingFilter(symbol=series.instrument.symbol), list[int]()
    with series.warehouse.read() as connection:
        whole = [item.finding_id for item in list_findings(connection, wanted)]
        while page := list_findings(connection, wanted, limit=4, cursor=seen[-1] if seen else None):
            seen += [item.finding_id for item in page]
    assert seen == whole
    assert len(set(whole)) == 6


def test_unknown_symbol_is_not_found(warehouse: Warehouse) -> None:
    with warehouse.read() as connection, pytest.raises(NotFound, match="NOBODY"):
        list_findings(connection, FindingFilter(symbol="NOBODY"))
