"""What a risk report is made from."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from chandlery.errors import InvalidInput
from chandlery.portfolio import Portfolio
from chandlery.risk.history import Panel, Sessions


@dataclass(frozen=True, slots=True)
class RiskParameters:
    """What the figures depend on beside the data.

    Attributes:
        periods_per_year: annualisation; 252 for US equities.
        risk_free: risk-free return per period, fraction.
        mar: minimum acceptable return per period, fraction.
        levels: confidence levels of VaR and ES.
        window: returns behind each VaR and ES, and each forecast of a backtest.
        backtest_days: days tested, 250 for the Basel zone.
        history_sessions: latest returns used for measures and charts; 2,520 is about ten years.
    """

    periods_per_year: float = 252.0
    risk_free: float = 0.0
    mar: float = 0.0
    levels: tuple[float, ...] = (0.95, 0.975, 0.99)
    window: int = 500
    backtest_days: int = 250
    history_sessions: int = 2520

    def __post_init__(self) -> None:
        if min(self.window, self.backtest_days, self.history_sessions) < 1 or not self.levels:
            raise InvalidInput(f"Risk parameters were {self}; lengths must be positive and levels not empty.")


DEFAULT_PARAMETERS = RiskParameters()


@dataclass(frozen=True, slots=True, eq=False)
class RiskInputs:
    """Everything a report reads; no clock, no warehouse.

    Attributes:
        portfolio: the book and its limits.
        as_of: the session reported on; must be one of `sessions`. Later rows are ignored.
        sessions: session dates [n], ascending, unique; dates or `datetime64`.
        prices: closes adjusted for splits to today's shares [n, assets], NaN where missing, never filled.
        symbols: assets in the order of the columns; a position outside them counts as missing.
        sources: where the prices of each symbol come from, e.g. `wiki`; a text with `simulated` is flagged.
        code_version: version of this code.
        data_versions: version of each dataset read.
        seed: recorded; nothing in this report is random.

    Raises:
        InvalidInput: when shapes do not fit, sessions are not ascending, `as_of` is no session, a symbol occurs
            twice or has no source, or a price is not positive and finite.
    """

    portfolio: Portfolio
    as_of: date
    sessions: NDArray[np.generic]
    prices: Panel
    symbols: tuple[str, ...]
    sources: Mapping[str, str]
    code_version: str
    data_versions: Mapping[str, int]
    seed: int = 0

    def __post_init__(self) -> None:
        days = np.asarray(self.sessions).astype("datetime64[D]")
        if self.prices.shape != (days.size, len(self.symbols)):
            raise InvalidInput(
                f"Prices were {self.prices.shape} for {days.size} sessions and {len(self.symbols)} symbols."
            )
        if (np.diff(days) <= np.timedelta64(0, "D")).any():
            raise InvalidInput("Sessions must ascend without repetition.")
        if np.datetime64(self.as_of, "D") not in days:
            found = f"{days[0]} to {days[-1]}" if days.size else "none"
            raise InvalidInput(f"As of was {self.as_of}, which is no session of the prices ({found}).")
        if len(set(self.symbols)) != len(self.symbols) or set(self.symbols) - set(self.sources):
            raise InvalidInput("Symbols must be unique and each must have a source.")
        if (self.prices <= 0.0).any() or np.isinf(self.prices).any():
            raise InvalidInput("A price was not positive and finite; a missing price is NaN.")


@dataclass(frozen=True, slots=True, eq=False)
class HeldPanel:
    """Prices of what is held, up to as_of, columns sorted by symbol: the one form both id and figures use."""

    symbols: tuple[str, ...]
    quantities: NDArray[np.float64]
    sessions: Sessions
    prices: Panel

    def sha256(self) -> str:
        """Return the SHA-256 over sessions and prices as little-endian bytes."""
        content = hashlib.sha256("\n".join(self.symbols).encode())
        content.update(self.sessions.astype("<i8").tobytes())
        content.update(np.where(np.isnan(self.prices), np.nan, self.prices).astype("<f8").tobytes())
        return content.hexdigest()


def held_panel(inputs: RiskInputs, *, history_sessions: int) -> HeldPanel:
    """Cut `inputs` to the positions held and the last history_sessions + 1 sessions up to `as_of`."""
    days = np.asarray(inputs.sessions).astype("datetime64[D]")
    last = int(np.searchsorted(days, np.datetime64(inputs.as_of, "D"))) + 1
    rows = slice(max(0, last - history_sessions - 1), last)
    quantities = {position.symbol: position.quantity for position in inputs.portfolio.positions}
    symbols = tuple(sorted(quantities))
    columns = {symbol: place for place, symbol in enumerate(inputs.symbols)}
    absent = np.full(len(days[rows]), np.nan)
    prices = [inputs.prices[rows, columns[symbol]] if symbol in columns else absent for symbol in symbols]
    return HeldPanel(
        symbols=symbols,
        quantities=np.array([quantities[symbol] for symbol in symbols], dtype=np.float64),
        sessions=days[rows],
        prices=np.array(prices, dtype=np.float64).reshape(len(symbols), -1).T.copy(),
    )
