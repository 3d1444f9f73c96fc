"""Minutes labelled by their start or by their end."""

import polars as pl
import pytest
from series_cases.clocks import shifted
from series_cases.completeness import day, minutes_view
from series_cases.labels import with_prints
from series_views import without
from tape_series import raw_google_view, raw_ninjatrader_view, tape_view

from chandlery.market.symbols import AssetClass
from chandlery.quality.series.labels import end_labelled
from chandlery.quality.series.registry import SERIES_RULES

RULE = SERIES_RULES["minutes_are_labelled_by_their_start"]


@pytest.mark.parametrize("symbol", ["AAPL", "MSFT"])
def test_google_files_label_every_session_by_its_end(symbol: str) -> None:
    view = raw_google_view(symbol)
    hits = RULE.judge(view)
    assert hits["session"].to_list() == view.sessions["session"].to_list()
    assert set(hits["verdict"]) == {"confirmed"}
    assert set(end_labelled(view)["grid"]) == {"both"}


def test_ninjatrader_file_labels_every_session_by_its_end_in_extended_hours_too() -> None:
    view = raw_ninjatrader_view()
    assert RULE.judge(view)["session"].to_list() == view.sessions["session"].to_list()
    assert set(end_labelled(view)["grid"]) == {"extended"}


@pytest.mark.parametrize("name", ["AAPL", "MSFT", "SPY_2011-01", "I_SPX_2019-11"])
def test_tapes_label_by_the_start_and_a_closing_print_changes_nothing(name: str) -> None:
    assert RULE.judge(tape_view(f"us_minute/{name}")).is_empty()


def test_coin_cannot_be_judged() -> None:
    assert not RULE.applies_to(minutes_view(AssetClass.CRYPTO))
    assert end_labelled(shifted(minutes_view(AssetClass.CRYPTO), 1)).is_empty()


def test_session_that_lacks_its_first_minute_and_has_a_closing_print_is_labelled_by_the_start() -> None:
    view = with_prints(minutes_view(), at_close=True)
    assert RULE.judge(without(view, pl.col("minute") == 0)).is_empty()


def test_one_session_labelled_by_its_end_is_confirmed_by_its_grid() -> None:
    view = minutes_view()
    one = shifted(view, 1, pl.col("session") == day(view, 4))
    assert RULE.judge(one).select("session", "verdict").rows() == [(day(view, 4), "confirmed")]
