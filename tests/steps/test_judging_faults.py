"""Judging when something is broken: nothing is lost, nobody is held back, and it is tried again."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, timedelta

import polars as pl
import pytest
from judged_market import D1, DAYS, Market, Spy
from sqlalchemy import text
from sqlalchemy.exc import DataError

from chandlery.errors import DatabaseDown
from chandlery.quality.judge import Judgement, judge_series, judge_venue
from chandlery.quality.series.registry import series_rules_for
from chandlery.quality.series.view import SeriesView
from chandlery.quality.venue.view import VenueView


def test_series_that_fails_does_not_hold_back_the_others_and_is_tried_again(market: Market) -> None:
    receipt = market.judge(Spy(fails={"AAPL": RuntimeError("out of luck")}))
    assert [(item.name, item.timeframe, item.reason) for item in receipt.failures] == [
        ("AAPL", "1d", "RuntimeError: out of luck")
    ]
    assert receipt.series == 1
    spy = Spy()
    assert market.judge(spy).failures == ()
    assert {span[0] for span in spy.spans()} == {"AAPL"}


def test_killed_series_is_not_judged_at_all(market: Market) -> None:
    with pytest.raises(KeyboardInterrupt):
        market.judge(Spy(fails={"AAPL": KeyboardInterrupt()}))
    number = market.number("AAPL")
    query = "select count(*) from ops.judged_sessions where instrument_id = %s"
    assert market.ask(market.warehouse, query, number) == [(0,)]
    market.judge()
    assert market.ask(market.warehouse, query, number) == [(len(DAYS),)]


@dataclass
class BrokenRule:
    """Judges as the registry does, with one rule that raises."""

    name: str

    def __call__(self, view: SeriesView) -> Judgement:
        def fail(_: SeriesView) -> pl.DataFrame:
            raise ValueError("out of order")

        rules = series_rules_for(view)
        return judge_series(view, [replace(rule, judge=fail) if rule.name == self.name else rule for rule in rules])


def without(market: Market, symbol: str, day: date) -> None:
    """Publish a series without one session."""
    frame = market.source.frames[symbol, D1]
    market.source.frames[symbol, D1] = frame.filter(
        pl.col("ts").dt.convert_time_zone("America/New_York").dt.date() != day
    )
    market.ingest()


FOUND = """
    select session, last_session, state, severity, verdict, term from ops.findings
    where rule = %s and instrument_id = %s and window_id is null
"""


@pytest.mark.parametrize("rejudge", [False, True])
def test_rule_that_raised_is_tried_again_and_keeps_what_it_had_found(market: Market, rejudge: bool) -> None:
    number, rule = market.number("AAPL"), "session_has_its_bar"
    without(market, "AAPL", DAYS[100])
    market.judge()
    before = market.ask(market.warehouse, FOUND, rule, number)
    assert [(row[0], row[2]) for row in before] == [(DAYS[100], "open")]
    receipt = market.judge(BrokenRule(rule), rejudge=rejudge, thresholds={} if rejudge else {"anything": 1.0})
    assert receipt.failed_rules == {rule: 2}
    assert market.ask(market.warehouse, FOUND, rule, number) == before
    assert market.ask(market.warehouse, FOUND, f"rule_works_{rule}", number) == [
        (DAYS[0], DAYS[-1], "open", "minor", "suspected", "none")
    ]
    spy = Spy()
    market.judge(spy, thresholds={} if rejudge else {"anything": 1.0})
    assert spy.spans() == [(symbol, "1d", DAYS[0], DAYS[-1]) for symbol in ("AAPL", "MSFT")]
    assert [row[2] for row in market.ask(market.warehouse, FOUND, f"rule_works_{rule}", number)] == ["repaired"]
    assert market.ask(market.warehouse, FOUND, rule, number) == before


def test_failure_of_a_rule_is_closed_by_a_smaller_stretch_in_which_it_works(market: Market) -> None:
    rule = "rule_works_session_has_its_bar"
    market.judge(BrokenRule("session_has_its_bar"))
    market.judge(start=DAYS[150], end=DAYS[160])
    (row,) = market.ask(market.warehouse, FOUND, rule, market.number("AAPL"))
    assert (row[0], row[2]) == (DAYS[0], "repaired"), "it began 85 sessions before what the judge saw"


@pytest.mark.parametrize("fault", [ValueError("out of luck"), KeyboardInterrupt()])
@pytest.mark.parametrize("rejudge", [False, True])
def test_venue_that_was_not_judged_is_tried_again(market: Market, fault: BaseException, rejudge: bool) -> None:
    if rejudge:
        market.judge()

    def fail(_: VenueView) -> Judgement:
        raise fault

    if isinstance(fault, KeyboardInterrupt):
        with pytest.raises(KeyboardInterrupt):
            market.judge(judge_venue=fail, rejudge=rejudge)
    else:
        failures = market.judge(judge_venue=fail, rejudge=rejudge).failures
        assert {(item.name, item.timeframe) for item in failures} == {("NYSE", "1d")}
    if rejudge and isinstance(fault, KeyboardInterrupt):
        return  # nothing had changed, and the findings of before stand
    seen, spy = [], Spy()

    def judge(view: VenueView) -> Judgement:
        seen.append((view.timeframe, view.start, view.end - timedelta(days=1)))
        return judge_venue(view)

    assert market.judge(spy, judge_venue=judge).failures == ()
    assert spy.views == [], "the series were judged"
    assert (D1, DAYS[0], DAYS[-1]) in seen
    seen.clear()
    market.judge(spy, judge_venue=judge)
    assert (D1, DAYS[-2], DAYS[-1]) in seen, "the last two are judged in any case"


def test_judging_what_came_by_and_by_finds_what_judging_all_at_once_finds(market: Market) -> None:
    query = "select instrument_id, timeframe, ts, rule, verdict, evidence from ops.findings where state = 'open'"

    def busier(days: Collection[date]) -> list[str]:
        frame = market.source.frames["AAPL", D1]
        place = pl.col("ts").dt.convert_time_zone("America/New_York").dt.date().is_in(days)
        volume = pl.when(place).then(pl.col("volume") * 60).otherwise("volume")
        market.source.frames["AAPL", D1] = frame.with_columns(volume=volume)
        market.ingest()
        market.judge()
        return sorted(map(str, market.ask(market.warehouse, query)))

    first, increment = busier(DAYS[150:151]), busier(DAYS[100:144])
    market.judge(rejudge=True)
    assert increment == sorted(map(str, market.ask(market.warehouse, query)))
    ts = f"datetime.datetime({DAYS[150].year}, {DAYS[150].month}, {DAYS[150].day}, "
    assert [row for row in first if ts in row] != [row for row in increment if ts in row], "six sessions later"


def test_successors_beyond_the_asked_sessions_are_judged_again(market: Market) -> None:
    market.judge()
    market.change("AAPL", DAYS[100], volume=12_345.0)
    spy = Spy()
    market.judge(spy, start=DAYS[90], end=DAYS[101])
    assert spy.spans() == [("AAPL", "1d", DAYS[95], DAYS[160])]
    assert set(DAYS[95:161]) <= set(spy.views[0].asked), "a session that was asked for and is missing stays so"


def test_extended_hours_of_a_session_make_it_due(market: Market) -> None:
    market.judge()
    change = "update ops.sessions set post_close = post_close - interval '1 hour' where session = :day"
    with market.warehouse.write() as connection:
        connection.execute(text(change), {"day": DAYS[100]})
    spy = Spy()
    market.judge(spy)
    assert spy.spans() == [(symbol, "1d", DAYS[95], DAYS[160]) for symbol in ("AAPL", "MSFT")]


def test_session_that_is_one_no_more_is_not_missing(market: Market) -> None:
    without(market, "AAPL", DAYS[100])
    market.judge()
    query = 'select session, state from ops.findings where "check" = 8 and instrument_id = %s'
    assert market.ask(market.warehouse, query, market.number("AAPL")) == [(DAYS[100], "open")]
    with market.warehouse.write() as connection:
        connection.execute(text("delete from ops.sessions where session = :day"), {"day": DAYS[100]})
    market.judge(symbols=("AAPL",))
    assert market.ask(market.warehouse, query, market.number("AAPL")) == [(DAYS[100], "repaired")]
    assert market.judge(symbols=("AAPL",)).sessions == 0


@pytest.mark.parametrize(
    "fault", [OSError("no space left"), DataError("insert", {}, Exception("out of range"))], ids=["disk", "value"]
)
def test_what_the_store_refuses_of_one_series_does_not_hold_back_the_others(market: Market, fault: Exception) -> None:
    receipt = market.judge(Spy(fails={"AAPL": fault}))
    assert [(item.name, item.timeframe) for item in receipt.failures] == [("AAPL", "1d")]
    assert receipt.series == 1
    spy = Spy()
    assert market.judge(spy).failures == ()
    assert {span[0] for span in spy.spans()} == {"AAPL"}


def test_database_that_is_away_ends_the_run(market: Market) -> None:
    with pytest.raises(DatabaseDown):
        market.judge(Spy(fails={"AAPL": DatabaseDown("away")}))
