"""A study as plain inputs: a thousand daily bars, 442 candidates of two parameters, thirty trades."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from chandlery.reports.study import StudyFacts, StudyInputs

BARS = 1_000
STAMPS = [datetime(2014, 1, 2, 5, tzinfo=UTC) + timedelta(days=i) for i in range(BARS)]


def curve(seed: int = 5) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    own, held = (np.exp(np.cumsum(random.normal(mean, 0.01, BARS))) for mean in (0.001, 0.0005))
    return pl.DataFrame({"ts": STAMPS, "equity": own / own[0], "benchmark": held / held[0]})


def trades(count: int) -> pl.DataFrame:
    random = np.random.default_rng(3)
    entered = np.sort(random.integers(0, BARS - 20, count)).tolist()
    left = [STAMPS[i + 10] for i in entered]
    schema = {
        "seq": pl.Int64,
        "entry_ts": pl.Datetime("us", "UTC"),
        "exit_ts": pl.Datetime("us", "UTC"),
        "entry_price": pl.Float64,
        "exit_price": pl.Float64,
        "net_return": pl.Float64,
    }
    columns = (
        *(list(range(count)), [STAMPS[i] for i in entered], [*left[:-1], None] if left else []),
        *(random.uniform(20, 90, count).tolist(), random.uniform(20, 90, count).tolist()),
        random.normal(0.02, 0.05, count).tolist(),
    )
    return pl.DataFrame(dict(zip(schema, columns, strict=True)), schema=schema)


def walk(scheme: str) -> dict[str, Any]:
    folds = [
        {
            "train_first": 0 if scheme == "anchored" else 4 * i,
            "train_end": 15 + 4 * i,
            "test_first": 16 + 4 * i,
            "test_end": 20 + 4 * i,
            "number": i,
            "params": {"fast": 5 + i, "slow": 50},
            "train_sharpe": 0.06,
            "test_sharpe": 0.01 * (i - 3),
        }
        for i in range(12)
    ]
    return {"scheme": scheme, "folds": folds, "sharpe": 0.0314, "mean_return": 0.0004, "efficiency": 0.523}


def evidence() -> dict[str, Any]:
    xs, ys = list(range(5, 31)), list(range(20, 101, 5))
    grid = [[None if x >= y else (20 - abs(x - 12) - abs(y - 60) / 5) / 400 for x in xs] for y in ys]
    choice = {"rank": 0, "number": 7, "scores": [0.0811], "detail": {}}
    return {
        "trials": 442,
        "earlier_trials": 120,
        "ranked": 410,
        "failed": 2,
        "pruned": 0,
        "returns": BARS - 1,
        "sharpe": 0.0811,
        "skew": -0.2,
        "kurtosis": 5.1,
        "psr": 0.9912,
        "luck_sharpe": 0.0312,
        "deflated_sharpe": 0.962,
        "effective_trials": 38.4,
        "deflated_sharpe_effective": 0.981,
        "min_track_record": 843.0,
        "pbo": 0.617,
        "pbo_slope": 0.3,
        "pbo_loss": 0.08,
        "pbo_splits": 12_870,
        "pbo_candidates": 410,
        "reality_check_p": 0.041,
        "spa_lower_p": 0.03,
        "spa_consistent_p": 0.035,
        "spa_upper_p": 0.061,
        "bootstrap_samples": 2_000,
        "walk_forward": [walk("rolling"), walk("anchored")],
        "cpcv": {
            "groups": 8,
            "tested": 2,
            "splits": 28,
            "embargo": 1,
            "median": 0.021,
            "share_below_zero": 1 / 7,
            "paths": [-0.01, 0.01, 0.02, 0.021, 0.03, 0.04, 0.05],
        },
        "choices": [
            {**choice, "kind": "in_sample", "params": {"fast": 12, "slow": 60}},
            {**choice, "kind": "plateau", "params": {"fast": 13, "slow": 65}, "detail": {"plateau_score": 0.0702}},
            {**choice, "kind": "walk_forward", "params": {"fast": 10, "slow": 55}},
        ],
        "heat_map": {"x": "fast", "y": "slow", "x_values": xs, "y_values": ys, "values": grid},
        "costs": [
            {"factor": f, "equity": 9.25 - f, "bar_sharpe": 0.09, "max_dd": 0.21, "closed_trades": 29}
            for f in (0, 1, 4)
        ],
        "benchmark": {"bar_sharpe": 0.03},
        "word": "doubtful",
        "verdict": "Doubtful: best of 562 attempts has Sharpe 0.081 a bar, but PBO is 61.7 %.",
    }


DEFINITION = {
    "title": "Moving average cross",
    "doc": "Long while the fast average is above the slow one.",
    "lattice": 442,
    "refs": ["Brock, Lakonishok, LeBaron 1992"],
    "params": [
        {"name": "fast", "default": 10, "lo": 5, "hi": 30, "step": 1},
        {"name": "slow", "default": 50, "lo": 20, "hi": 100, "step": 5},
    ],
    "constraints": ["fast < slow"],
    "let": {"fast_ma": "sma(close, fast)"},
    "rules": {},
    "signals": {"long_entry": "crossover(fast_ma, slow_ma)", "long_exit": "crossunder(fast_ma, slow_ma)"},
}

FACTS = StudyFacts(
    study_id="9f3b2c4d5e6f708192a3b4c5d6e7f809",
    strategy="sma_cross",
    strategy_version=2,
    definition_hash="ab" * 32,
    symbol="AAPL",
    timeframe="1d",
    panel_id="cd" * 12,
    first_ts=STAMPS[0],
    last_ts=STAMPS[-1],
    bars=BARS,
    method="exhaustive",
    objective="bar_sharpe",
    budget=500,
    trials=442,
    seed=7,
    source="wiki",
    code_version="0.3.0",
    question={"costs": {"fee": 0.0005, "slippage": 0.0002}, "mode": "simple", "sides": "long"},
    best_params={"fast": 12, "slow": 60},
    metrics={"closed_trades": 29, "wins": 12, "gross_profit": 9.0, "gross_loss": 4.0, "exposure_bars": 560},
)


@pytest.fixture(scope="session")
def inputs_of() -> Callable[..., StudyInputs]:
    """Return a maker of inputs: keywords change the evidence, `facts`, `definition`, `count` of trades the rest."""

    def make(
        *,
        count: int = 30,
        facts: dict[str, Any] | None = None,
        definition: dict[str, Any] | None = None,
        **changes: Any,
    ) -> StudyInputs:
        return StudyInputs(
            facts=replace(FACTS, **(facts or {})),
            evidence=evidence() | changes,
            definition=DEFINITION | (definition or {}),
            curve=curve(),
            trades=trades(count),
            periods_per_year=252.0,
        )

    return make
