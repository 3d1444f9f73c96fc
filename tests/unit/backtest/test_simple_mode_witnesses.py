"""Simple mode against vectorbt and backtesting.py: the same rules, bars and costs, every trade and every mark.

The signals come from TA-Lib, so that no part of a witness is ours. What their conventions cannot say was made equal:

- Both decide at a close and fill at the next open: vectorbt by signals moved one bar on and `price=open`,
  backtesting.py by `trade_on_close=False`. A signal on the last bar never fills.
- An entry beats an exit of the same bar: exits are handed over without the bars of entries. Entries on both sides
  of one bar cancel each other before they are handed over.
- A position that is open at the end stays open: equity is compared to the last close, trades as far as closed.
- A short position can lose more than there is. What follows ruin is not compared: we stop trading, vectorbt goes on
  with negative money, backtesting.py closes what it holds.
- backtesting.py trades whole units: cash of 1e12 makes one unit less than 1e-9 of the position. It knows no slippage
  on the way out, so its cases have none; vectorbt has all three costs.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import talib
from numpy.typing import NDArray

from chandlery.backtest import BacktestResult, Panel, run_backtest
from chandlery.backtest.execution import Costs, Execution
from chandlery.strategies import Sides, get_strategy

with warnings.catch_warnings():
    # Seen 2026-11: both import names their own dependencies deprecate, and backtesting.py lacks a progress bar.
    warnings.simplefilter("ignore")
    import backtesting
    import pandas as pd
    import vectorbt

pytestmark = [
    pytest.mark.untraced,  # the time goes into the witnesses, which compile code of their own
    pytest.mark.filterwarnings(
        "ignore:Some trades remain open at the end of backtest:UserWarning",
        "ignore::DeprecationWarning:vectorbt",
        "ignore::FutureWarning:vectorbt",
        "ignore::DeprecationWarning:backtesting",
    ),
]

TAPES = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "tapes" / "us_daily"
Flags = NDArray[np.bool_]
Prices = dict[str, NDArray[np.float64]]


@dataclass(frozen=True)
class Signals:
    """The four signals as TA-Lib sees them; no exit means that the opposite entry closes."""

    long_entry: Flags
    short_entry: Flags
    long_exit: Flags | None = None
    short_exit: Flags | None = None

    def decided(self, sides: Sides) -> tuple[Flags, Flags, Flags, Flags]:
        """Return go long, leave long, go short, leave short."""
        none = np.zeros_like(self.long_entry)
        if sides is Sides.LONG:
            leaving = self.short_entry if self.long_exit is None else self.long_exit
            return self.long_entry, leaving & ~self.long_entry, none, none
        long, short = self.long_entry & ~self.short_entry, self.short_entry & ~self.long_entry
        quiet = ~(long | short)
        long_exit, short_exit = (
            none if flags is None else flags & quiet for flags in (self.long_exit, self.short_exit)
        )
        return long, long_exit, short, short_exit


def over(first: Any, second: Any) -> Flags:
    """Return where `first` crosses above `second`; either may be a number."""
    one, two = np.broadcast_arrays(first, second)
    return np.concatenate(([False], (one[1:] > two[1:]) & (one[:-1] <= two[:-1])))


def before(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.concatenate(([np.nan], values[:-1]))


def sma_cross(p: Prices) -> Signals:
    fast, slow = talib.SMA(p["close"], 20), talib.SMA(p["close"], 100)
    return Signals(over(fast, slow), over(slow, fast), over(slow, fast), over(fast, slow))


def rsi_revert(p: Prices) -> Signals:
    rsi = talib.RSI(p["close"], 14)
    return Signals(over(rsi, 30), over(70, rsi), over(70, rsi), over(rsi, 30))


def donchian_breakout(p: Prices) -> Signals:
    top, bottom = before(talib.MAX(p["high"], 20)), before(talib.MIN(p["low"], 20))
    cover, out = before(talib.MAX(p["high"], 10)), before(talib.MIN(p["low"], 10))
    return Signals(p["close"] > top, p["close"] < bottom, p["close"] < out, p["close"] > cover)


def roc(p: Prices) -> Signals:
    speed = talib.ROC(p["close"], 12)
    return Signals(over(speed, 2.0), over(-2.0, speed), over(0, speed), over(speed, 0))


def price_vs_sma(p: Prices) -> Signals:
    average = talib.SMA(p["close"], 200)
    return Signals(p["close"] > average, p["close"] < average)


def cci(p: Prices) -> Signals:
    index = talib.CCI(p["high"], p["low"], p["close"], 20)
    return Signals(over(index, -100), over(100, index))


def williams_r(p: Prices) -> Signals:
    ratio = talib.WILLR(p["high"], p["low"], p["close"], 14)
    return Signals(over(ratio, -80), over(-20, ratio))


def vwma_cross(p: Prices) -> Signals:
    fast, slow = (talib.SMA(p["close"] * p["volume"], n) / talib.SMA(p["volume"], n) for n in (20, 50))
    return Signals(over(fast, slow), over(slow, fast))


CASES: dict[str, tuple[Callable[[Prices], Signals], dict[str, float]]] = {
    "sma_cross": (sma_cross, {"fast": 20, "slow": 100}),
    "rsi_revert": (rsi_revert, {}),
    "donchian_breakout": (donchian_breakout, {}),
    "roc": (roc, {"threshold": 2.0}),
    "price_vs_sma": (price_vs_sma, {}),
    "cci": (cci, {}),
    "williams_r": (williams_r, {}),
    "vwma_cross": (vwma_cross, {}),
}
SYMBOLS = ("AAPL",)

every_case = pytest.mark.parametrize("name", CASES)
every_symbol = pytest.mark.parametrize("symbol", SYMBOLS)
both_choices = pytest.mark.parametrize("sides", list(Sides))


@pytest.fixture(scope="module")
def panels() -> dict[str, Panel]:
    """Return the last 2,000 real daily bars of each symbol, adjusted."""
    found = {}
    for symbol in SYMBOLS:
        path = TAPES / f"{symbol}.parquet"
        if not path.exists():
            pytest.skip(f"the real tapes are not in {TAPES}")
        frame = pl.read_parquet(path).tail(2_000).with_columns(pl.col("session").alias("ts"))
        frame = frame.select("ts", pl.col("^adj_.*$").name.map(lambda name: name.removeprefix("adj_")))
        found[symbol] = Panel.from_bars(frame, symbol=symbol, timeframe="1d")
    return found


def prices_of(panel: Panel) -> Prices:
    return {name: panel.field(name) for name in ("open", "high", "low", "close", "volume")}


def compare(result: BacktestResult, equity: NDArray[np.float64], trades: pl.DataFrame) -> None:
    """Compare marks to 1e-6, sides and bars of closed trades exactly and prices to 1e-9, up to ruin."""
    ruined = np.flatnonzero(result.equity <= 0.0)
    end = int(ruined[0]) if ruined.size else result.equity.size
    assert end > 300
    np.testing.assert_allclose(result.equity[:end], equity[:end], rtol=1e-6)
    ours = result.trades.filter(~pl.col("is_open") & (pl.col("exit_bar") < end))
    theirs = trades.filter(pl.col("exit_bar") < end).sort("entry_bar")
    assert ours.height >= 1
    assert ours["side"].to_list() == theirs["side"].to_list()
    for name in ("entry_bar", "exit_bar"):
        assert ours[name].to_list() == theirs[name].to_list()
    for name in ("entry_price", "exit_price"):
        np.testing.assert_allclose(ours[name].to_numpy(), theirs[name].to_numpy(), rtol=1e-9)


@every_case
@every_symbol
@both_choices
@pytest.mark.parametrize(
    "costs", [Costs(), Costs(fee=0.001), Costs(fee=0.001, slippage=0.0005, spread=0.0004)], ids=str
)
def test_vectorbt_makes_the_same_trades_and_money(
    panels: dict[str, Panel], name: str, symbol: str, sides: Sides, costs: Costs
) -> None:
    panel, (signals, params) = panels[symbol], CASES[name]
    result = run_backtest(get_strategy(name), params, panel, Execution(sides=sides, costs=costs))
    decided = signals(prices_of(panel)).decided(sides)
    entries, exits, short_entries, short_exits = (np.concatenate(([False], flags[:-1])) for flags in decided)
    short = {} if sides is Sides.LONG else {"short_entries": short_entries, "short_exits": short_exits}
    portfolio = vectorbt.Portfolio.from_signals(
        pd.Series(panel.field("close")),
        entries,
        exits,
        **short,
        price=np.array(panel.field("open")),
        size=np.inf,
        fees=costs.fee,
        slippage=costs.slippage + costs.spread / 2.0,
        init_cash=1.0,
        upon_opposite_entry="reverse",
        freq="1D",
    )
    records = portfolio.trades.records
    records = records[records["status"] == 1]
    theirs = pl.DataFrame(
        {
            "side": [("long", "short")[code] for code in records["direction"]],
            "entry_bar": records["entry_idx"].to_numpy(),
            "exit_bar": records["exit_idx"].to_numpy(),
            "entry_price": records["entry_price"].to_numpy(),
            "exit_price": records["exit_price"].to_numpy(),
        }
    )
    compare(result, portfolio.value().to_numpy(), theirs)


class Follower(backtesting.Strategy):  # type: ignore[misc]
    """Carries out what was decided."""

    decided: tuple[Flags, Flags, Flags, Flags] | None = None

    def init(self) -> None:
        """Compute nothing: the decisions are given."""

    def next(self) -> None:
        """Order what was decided at this close."""
        go_long, leave_long, go_short, leave_short = (flags[len(self.data) - 1] for flags in self.decided or ())
        position = self.position
        if (go_long and not position.is_long) or (go_short and not position.is_short):
            position.close()
            (self.buy if go_long else self.sell)()
        elif (leave_long and position.is_long) or (leave_short and position.is_short):
            position.close()


@every_case
@every_symbol
@both_choices
@pytest.mark.parametrize("fee", [0.001])
def test_backtesting_py_makes_the_same_trades_and_money(
    panels: dict[str, Panel], name: str, symbol: str, sides: Sides, fee: float
) -> None:
    panel, (signals, params) = panels[symbol], CASES[name]
    result = run_backtest(get_strategy(name), params, panel, Execution(sides=sides, costs=Costs(fee=fee)))
    frame = pd.DataFrame({key.title(): values for key, values in prices_of(panel).items()})
    frame.index = pd.DatetimeIndex(panel.ts.astype("datetime64[us]"))
    found = backtesting.Backtest(frame, Follower, cash=1e12, commission=fee, trade_on_close=False).run(
        decided=signals(prices_of(panel)).decided(sides)
    )
    records = found["_trades"]
    theirs = pl.DataFrame(
        {
            "side": ["long" if size > 0 else "short" for size in records["Size"]],
            "entry_bar": records["EntryBar"].to_numpy(),
            "exit_bar": records["ExitBar"].to_numpy(),
            "entry_price": records["EntryPrice"].to_numpy(),
            "exit_price": records["ExitPrice"].to_numpy(),
        }
    )
    compare(result, found["_equity_curve"]["Equity"].to_numpy() / 1e12, theirs)
