"""What rules build from a view is built once a view."""

from dataclasses import replace
from datetime import date

import polars as pl
from series_views import clean_view, with_bars

from chandlery.market.timeframes import Timeframe
from chandlery.quality.judge import judge_series
from chandlery.quality.series._habits import habits
from chandlery.quality.series.rule import HIT_SCHEMA, no_hits
from chandlery.quality.series.view import SeriesView


def test_work_is_done_once_a_view_and_again_for_another() -> None:
    asked: list[date] = []

    def first_session(view: SeriesView) -> date:
        asked.append(view.start)
        return view.start

    view = replace(clean_view(Timeframe.M1))
    assert [view.once(first_session) for _ in range(3)] == [view.start] * 3
    assert len(asked) == 1
    later = replace(view, start=view.end)
    assert later.once(first_session) == view.end
    assert asked == [view.start, view.end]


def test_habits_of_a_view_over_other_bars_are_their_own() -> None:
    view = clean_view(Timeframe.M1)
    day = view.sessions["session"][-1]
    before = habits(view).row(-1, named=True)
    fewer = with_bars(view, view.bars.filter(view.session_date() < pl.lit(day)))
    assert before["present"] == before["minutes"] == 390
    assert habits(fewer).row(-1, named=True)["present"] == 0


def test_one_rule_that_changes_its_empty_answer_does_not_change_that_of_the_next() -> None:
    mine = no_hits()
    mine.insert_column(0, pl.Series("own", [], dtype=pl.Int64))
    assert dict(no_hits().schema) == HIT_SCHEMA


def test_a_calm_series_has_an_empty_judgement_in_the_shape_of_any() -> None:
    view = clean_view(Timeframe.M1)
    broken = with_bars(view, view.bars.filter(pl.col("ts") != view.bars["ts"][-5]))
    calm, found = judge_series(view), judge_series(broken)
    assert calm.findings.is_empty()
    assert found.findings.height > 0
    assert calm.findings.schema == found.findings.schema
    assert calm.rules == found.rules
