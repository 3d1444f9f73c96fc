"""`chandlery backtest`: figures, files, definitions, and one clear message for what cannot be run."""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import polars as pl
import pytest

from chandlery.strategies import get_strategy, to_json

RISE = [10.0 + 0.5 * i for i in range(60)]
FALL = [40.0 - 0.5 * i for i in range(60)]
SMALL = ("--param", "fast=10", "--param", "slow=50")


@pytest.fixture
def bars(tmp_path: Path) -> str:
    """Return the path of 240 daily bars that rise, fall, rise and fall; every open is the close before."""
    closes = np.array([*RISE, *FALL, *RISE, *FALL])
    opens = np.concatenate(([10.0], closes[:-1]))
    frame = pl.DataFrame({
        "time": [date(2020, 1, 1) + timedelta(days=i) for i in range(closes.size)],
        "open": opens, "high": np.maximum(opens, closes), "low": np.minimum(opens, closes), "close": closes,
        "volume": np.ones(closes.size),
    })  # fmt: skip
    path = tmp_path / "WAVE.csv"
    frame.write_csv(path)
    return str(path)


def test_figures_follow_from_the_written_trades_and_curve(run: Any, bars: str, tmp_path: Path) -> None:
    files = ("--trades", str(tmp_path / "trades.csv"), "--equity", str(tmp_path / "equity.csv"))
    outcome = run("backtest", "sma_cross", "--bars", bars, *SMALL, "--fee-bps", "10", *files, "--json")
    assert (outcome.code, outcome.err) == (0, "")
    facts = orjson.loads(outcome.out)
    trades, curve = pl.read_csv(tmp_path / "trades.csv"), pl.read_csv(tmp_path / "equity.csv")
    figures = facts["figures"]
    assert (facts["symbol"], facts["timeframe"], facts["bars"]) == ("WAVE", "1d", 240)
    assert curve.height == 240
    assert figures["final_equity"] == curve["equity"][-1]
    assert figures["closed_trades"] + figures["open_trades"] == trades.height > 0
    assert figures["final_equity"] == pytest.approx(1.0 + trades["profit"].sum(), rel=1e-12)
    peak = np.maximum.accumulate(curve["equity"].to_numpy())
    assert figures["max_drawdown"] == pytest.approx((curve["equity"].to_numpy() / peak).min() - 1.0, rel=1e-9)
    returns = curve["returns"].to_numpy()[1:]
    # Bars on all seven days: 365 a year.
    assert facts["periods_per_year"] == 365
    assert figures["sharpe"] == pytest.approx(returns.mean() / returns.std(ddof=1) * np.sqrt(365), rel=1e-9)
    # Bought at the second open, 10.0, with the fee; worth the last close, 10.5.
    assert facts["buy_and_hold"]["final_equity"] == pytest.approx(10.5 / 10.0 / 1.001, rel=1e-12)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["WAVE.csv", "equity.csv", "trades.csv"]


def test_text_shows_bars_parameters_and_both_columns(run: Any, bars: str) -> None:
    out = run("backtest", "sma_cross", "--bars", bars, *SMALL, "--periods-per-year", "252").out
    assert "sma_cross on WAVE 1d: 240 bars, 2020-01-01 to 2020-08-27" in out
    assert "parameters: fast 10, slow 50" in out
    assert "annualised with 252 bars a year (as given)" in out
    assert "buy and hold" in out
    assert "profit factor" in out


def test_pine_mode_counts_money_and_whole_lots(run: Any, bars: str, tmp_path: Path) -> None:
    money = ("--mode", "pine", "--sides", "both", "--capital", "5000", "--qty", "1", "--slippage-ticks", "2")
    outcome = run(
        "backtest", "sma_cross", "--bars", bars, *SMALL, *money, "--trades", str(tmp_path / "trades.csv"), "--json"
    )
    figures, trades = orjson.loads(outcome.out)["figures"], pl.read_csv(tmp_path / "trades.csv")
    assert (outcome.code, outcome.err) == (0, "")
    assert set(trades["side"]) == {"long", "short"}
    assert (trades["quantity"] % 1 == 0).all()
    assert figures["final_equity"] == pytest.approx(5_000 + trades["profit"].sum(), rel=1e-9)


def test_a_definition_in_json_runs_like_the_strategy_it_was_made_of(run: Any, bars: str, tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text(to_json(get_strategy("sma_cross")))
    one = run("backtest", "sma_cross", "--bars", bars, *SMALL, "--json").out
    other = run("backtest", "--definition", str(tmp_path / "mine.json"), "--bars", bars, *SMALL, "--json").out
    assert orjson.loads(one) == orjson.loads(other)


def test_a_definition_that_reads_the_future_is_refused(run: Any, bars: str, tmp_path: Path) -> None:
    document = json.loads(to_json(get_strategy("sma_cross")))
    document["signals"]["long_entry"]["of"][0] = {"hist": {"series": "close"}, "bars": -1}
    (tmp_path / "mine.json").write_text(json.dumps(document))
    outcome = run("backtest", "--definition", str(tmp_path / "mine.json"), "--bars", bars)
    assert outcome.code == 7
    assert outcome.err.startswith("look_ahead: A value was asked for 1 bars in the future")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (
            ["sma_crosss"],
            7,
            "unknown_strategy: Strategy was 'sma_crosss'; there is none of that name, near matches are",
        ),
        (["sma_cross", "--param", "fats=20"], 7, "fats: no such parameter, known are fast, slow; did you mean fast?"),
        (["sma_cross", "--param", "fast=many"], 7, "Parameter fast was 'many'; it is a number."),
        (["sma_cross", "--param", "fast=20.5"], 7, "fast: was 20.5; it is a whole number between 10 and 200"),
        (["sma_cross", "--param", "fast=9"], 7, "fast: was 9; it lies between 10 and 200"),
        (["sma_cross", "--param", "fast=nan"], 7, "fast: was nan"),
        (["sma_cross", "--param", "fast"], 7, "write name=value, for example fast=50"),
        (["sma_cross", "--param", "fast=20", "--param", "fast=30"], 7, "fast was given twice, 20 and 30"),
        (
            ["sma_cross", "--param", "fast=90", "--param", "slow=60"],
            7,
            "fast < slow must hold, was fast = 90, slow = 60",
        ),
        (["sma_cross", "--param", "slow=300"], 7, "has 240 bars and these parameters need 302"),
        (["pairs_zscore"], 7, "pairs_zscore takes at least 2 symbols and a file of bars holds one"),
        (["sma_cross", "--fee-bps", "10000"], 2, "fee was 10000 bps; it is at least 0 and below 10000"),
        (["sma_cross", "--slippage-bps", "-1"], 2, "slippage was -1 bps"),
        (["sma_cross", "--spread-bps", "nan"], 2, "spread was nan bps"),
        (["sma_cross", "--slippage-ticks", "1"], 2, "Simple mode knows no ticks"),
        (["sma_cross", "--capital", "5"], 2, "--capital was given in simple mode"),
        (["sma_cross", "--mode", "pine", "--slippage-bps", "1"], 2, "give --slippage-ticks instead"),
        (["sma_cross", "--mode", "pine", "--capital", "0"], 2, "capital was 0.0"),
        (["sma_cross", "--periods-per-year", "0"], 2, "Periods per year were 0"),
        (["sma_cross", "--timezone", "Mars"], 2, "The time zone was 'Mars'"),
        (["sma_cross", "--definition", "x.json"], 2, "not both"),
        (["--definition", "x.json"], 2, "x.json could not be read"),
        ([], 2, "Name one strategy"),
        (["sma_cross", "--trades", "absent/trades.csv"], 2, "could not be written"),
    ],
)
def test_what_cannot_be_run_says_why_and_what_to_do(
    run: Any, bars: str, arguments: list[str], code: int, said: str
) -> None:
    outcome = run("backtest", *arguments, "--bars", bars)
    assert (outcome.code, outcome.out) == (code, "")
    assert said in outcome.err
    assert "Traceback" not in outcome.err


def test_wrong_bars_name_the_line(run: Any, bars: str) -> None:
    lines = Path(bars).read_text().splitlines()
    lines[100] = lines[100].replace(lines[100].split(",")[1], "-5", 1)
    Path(bars).write_text("\n".join(lines))
    outcome = run("backtest", "sma_cross", "--bars", bars)
    assert outcome.code == 2
    assert "WAVE.csv: line 101: open was '-5'" in outcome.err


def test_a_failed_write_leaves_nothing_behind(run: Any, bars: str, tmp_path: Path) -> None:
    target = tmp_path / "kept"
    target.mkdir()
    outcome = run("backtest", "sma_cross", "--bars", bars, *SMALL, "--trades", str(target))
    assert outcome.code == 2
    assert list(target.iterdir()) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["WAVE.csv", "kept"]
