"""Definitions over several symbols: what is refused when they are built."""

import pytest

from chandlery.errors import BadParameters, LookAhead, ResearchError
from chandlery.strategies import (
    Const,
    Int,
    Pair,
    Param,
    Rotation,
    Series,
    Strategy,
    Top,
    TopKind,
    all_portfolios,
    all_strategies,
    catalogue,
    get_portfolio,
    portfolio_from_json,
)
from chandlery.strategies.operations import close, hour, leg, new_month, sma

HEAD = {"name": "probe", "version": 1, "family": "multi_asset", "title": "Probe", "doc": "A probe."}
SPREAD = leg(close, 0) - leg(close, 1)
LEGS = {"hedge": SPREAD, "long_entry": SPREAD < 0, "long_exit": SPREAD > 0}


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"rebalance": close}, ResearchError, "probe.rebalance was a float series; it is a bool series"),
        ({"rebalance": close > 1}, ResearchError, "rebalance reads close of leg None"),
        ({"score": close > 1}, ResearchError, "probe.score was a bool series"),
        ({"keep": close}, ResearchError, "probe.keep was a float series"),
        ({"top": Top(TopKind.COUNT, Const(2))}, ResearchError, "without a score"),
        ({"score": close, "top": Top(TopKind.SHARE, Const(1.5))}, ResearchError, "a share lies in"),
        ({"score": close, "top": Top(TopKind.COUNT, close)}, ResearchError, "probe.top was a float series"),
        ({"params": {"n": Int(default=2, lo=1, hi=3)}}, BadParameters, "no signal or rule uses: n"),
        ({"score": sma(close, Param("n"))}, BadParameters, "'n' is used and not declared"),
        ({"constraints": (close > 1,)}, ResearchError, "A constraint of probe was a bool series"),
        ({"let": {"mean": sma(close, 5)}}, ResearchError, "names 'mean' in let"),
        ({"name": "Probe"}, ResearchError, "lower-case identifier"),
        ({"version": 0}, ResearchError, "versions count from 1"),
    ],
)
def test_rotations_that_make_no_sense_are_refused(
    change: dict[str, object], error: type[ResearchError], message: str
) -> None:
    with pytest.raises(error, match=message):
        Rotation(**(HEAD | {"rebalance": new_month} | change))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hedge": SPREAD > 0}, "probe.hedge was a bool series"),
        ({"hedge": close}, "probe.hedge reads close of leg None"),
        ({"long_entry": leg(close, 2) > 1}, "probe.long_entry reads close of leg 2"),
        ({"short_entry": SPREAD > 1}, "one of short_entry and short_exit"),
        ({"long_exit": SPREAD}, "probe.long_exit was a float series"),
    ],
)
def test_pairs_that_make_no_sense_are_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(ResearchError, match=message):
        Pair(**(HEAD | LEGS | change))  # type: ignore[arg-type]


def test_reading_the_future_is_refused() -> None:
    with pytest.raises(LookAhead):
        Rotation(**(HEAD | {"rebalance": new_month, "score": close[-1]}))  # type: ignore[arg-type]


def test_a_strategy_of_one_symbol_has_no_legs() -> None:
    with pytest.raises(ResearchError, match="reads a leg"):
        Strategy(**(HEAD | {"long_entry": leg(close, 0) > 1, "long_exit": close < 1}))  # type: ignore[arg-type]


def test_leg_moves_prices_and_leaves_the_time() -> None:
    assert leg(sma(close, 3)[1] * hour, 1) == sma(Series("close", 1), 3)[1] * hour
    with pytest.raises(ResearchError, match="legs count from 0"):
        Series("close", -1)
    with pytest.raises(ResearchError, match="time is the same"):
        Series("hour", 1)


def test_catalogue_holds_both_kinds_once() -> None:
    assert list(catalogue()) == [*all_strategies(), *all_portfolios()]
    assert not set(all_strategies()) & set(all_portfolios())
    with pytest.raises(ResearchError, match=r"near matches are .*xs_momentum"):
        get_portfolio("xs_momentun")


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"type":"rotation","expressions":{}}', '{"type":"other"}'])
def test_malformed_json_is_refused(text: str) -> None:
    with pytest.raises(ResearchError, match="malformed"):
        portfolio_from_json(text)
