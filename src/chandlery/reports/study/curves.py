"""Curves and key figures: growth, depth, and what they come to in a year, beside buy and hold."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from chandlery.measures import MEASURES
from chandlery.reports.study.inputs import StudyInputs
from chandlery.reports.study.schema import FigureRow, Series
from chandlery.reports.svg import decimate

Values = NDArray[np.float64]

_KEPT_WHOLE, _SPANS = 3_000, 500
_MEASURED = (
    ("cum", "Total return", "fraction"),
    ("cagr", "Growth a year", "fraction"),
    ("vol", "Volatility a year", "fraction"),
    ("sharpe", "Sharpe ratio", "ratio"),
    ("sortino", "Sortino ratio", "ratio"),
    ("dd_max", "Deepest drawdown", "fraction"),
    ("calmar", "Calmar ratio", "ratio"),
    ("dd_days_max", "Longest drawdown, bars", "count"),
)


def figures(inputs: StudyInputs) -> list[FigureRow]:
    """Return the key figures, strategy beside buy and hold."""
    curve, metrics = inputs.curve, inputs.facts.metrics
    own, held = (_returns(curve[name].to_numpy()) for name in ("equity", "benchmark"))
    rows = [
        _row(name, label, unit, *(_measured(name, values, inputs.periods_per_year) for values in (own, held)))
        for name, label, unit in _MEASURED
    ]
    traded = _traded(metrics, bars=curve.height)
    passive = _traded({name: metrics.get(f"benchmark_{name}") for name in _KERNEL}, bars=curve.height)
    return rows + [_row(name, label, unit, traded[name], passive[name]) for name, label, unit in _TRADED]


_KERNEL = ("closed_trades", "wins", "gross_profit", "gross_loss", "exposure_bars")
_TRADED = (
    ("exposure", "Time in position", "fraction"),
    ("closed_trades", "Closed trades", "count"),
    ("win_rate", "Trades won", "fraction"),
    ("profit_factor", "Profit factor", "ratio"),
)


def series(curve: pl.DataFrame) -> Series:
    """Return growth from 1 and depth under the last peak; long series keep their ends and extremes."""
    drawn = {name: curve[name].to_numpy() / _start(curve[name].to_numpy()) for name in ("equity", "benchmark")}
    drawn |= {f"{name}_drawdown": _depth(drawn[name]) for name in ("equity", "benchmark")}
    kept = _kept(list(drawn.values()))
    stamps = curve["ts"].gather(kept).to_list()
    return {
        "bars": curve.height,
        "ts": [iso(stamp) for stamp in stamps],
        "equity": drawn["equity"][kept].tolist(),
        "benchmark": drawn["benchmark"][kept].tolist(),
        "drawdown": drawn["equity_drawdown"][kept].tolist(),
        "benchmark_drawdown": drawn["benchmark_drawdown"][kept].tolist(),
    }


def iso(stamp: datetime) -> str:
    """Return an instant as ISO 8601 in UTC, to the second."""
    return stamp.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _kept(every: list[Values]) -> list[int]:
    bars = every[0].size
    if bars <= _KEPT_WHOLE:
        return list(range(bars))
    return sorted({place for values in every for place in decimate(values.tolist(), columns=_SPANS)})


def _start(values: Values) -> float:
    return float(values[0]) or 1.0


def _depth(values: Values) -> Values:
    peak = np.maximum.accumulate(np.maximum(values, 1e-300))
    depth: Values = np.minimum(values / peak - 1.0, 0.0)
    return depth


def _returns(values: Values) -> Values:
    # Nothing can be held on the first bar, so its return is no observation.
    before = values[:-1]
    return np.divide(values[1:], before, out=np.ones_like(before), where=before > 0.0) - 1.0


def _measured(name: str, returns: Values, periods_per_year: float) -> float | None:
    return MEASURES[name](returns, periods_per_year=periods_per_year).value


def _row(name: str, label: str, unit: str, own: float | None, held: float | None) -> FigureRow:
    return {"id": name, "label": label, "unit": unit, "strategy": own, "benchmark": held}


def _traded(metrics: Mapping[str, Any], *, bars: int) -> dict[str, float | int | None]:
    closed, wins, gain, loss, bars_in = (metrics.get(name) for name in _KERNEL)
    return {
        "exposure": None if bars_in is None else bars_in / bars,
        "closed_trades": closed,
        "win_rate": wins / closed if closed and wins is not None else None,
        "profit_factor": gain / loss if loss and gain is not None else None,
    }
