"""Gathering the evidence of a search: every statistic from the stored block moments."""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chandlery.backtest import METRICS, BacktestResult, Execution, Panel, buy_and_hold
from chandlery.optimize.batches import STATES, State, Table
from chandlery.optimize.benchmark import benchmark_figures, excess_at_equal_risk
from chandlery.optimize.blocks import BlockReturns, Row, bars_per_block, shape_of, sharpe_ratios
from chandlery.optimize.choices import choices_of
from chandlery.optimize.cost_sensitivity import cost_sensitivity
from chandlery.optimize.cpcv import cpcv
from chandlery.optimize.cscv import pbo
from chandlery.optimize.effective_trials import effective_trials
from chandlery.optimize.evidence import Cpcv, Evidence, WalkForward, Word
from chandlery.optimize.heat_map import heat_map
from chandlery.optimize.objective import best_of
from chandlery.optimize.overfitting import ReturnShape, expected_max_sharpe, min_track_record_length, psr
from chandlery.optimize.plateau import Score
from chandlery.optimize.reality_check import SAMPLES, both_tests
from chandlery.optimize.space import Space
from chandlery.optimize.verdict import judge
from chandlery.optimize.walk_forward import Scheme, walk_forward

PBO_BLOCKS = 16
GROUPS = 8

_EMPTY: dict[str, Any] = {
    "sharpe": None,
    "skew": None,
    "kurtosis": None,
    "psr": None,
    "luck_sharpe": None,
    "deflated_sharpe": None,
    "effective_trials": None,
    "deflated_sharpe_effective": None,
    "min_track_record": None,
    "pbo": None,
    "pbo_slope": None,
    "pbo_loss": None,
    "pbo_splits": 0,
    "pbo_candidates": 0,
    "reality_check_p": None,
    "spa_lower_p": None,
    "spa_consistent_p": None,
    "spa_upper_p": None,
    "bootstrap_samples": 0,
    "walk_forward": (),
    "cpcv": None,
    "choices": (),
    "heat_map": None,
    "costs": (),
    "word": Word.NOTHING,
    "verdict": "",
}


@dataclass(frozen=True, slots=True, eq=False)
class _Ranked:
    """The ranked candidates in the order of their lattice numbers, so that ties go to the lowest."""

    rows: NDArray[np.int64]
    numbers: NDArray[np.int64]
    cut: BlockReturns


def gather_evidence(
    space: Space,
    table: Table,
    panel: Panel,
    execution: Execution,
    *,
    earlier_trials: int = 0,
    seed: int,
    benchmark: BacktestResult | None = None,
    evaluate: Score | None = None,
    samples: int = SAMPLES,
) -> Evidence:
    """Return the evidence of a search: what its table says about how much of its best result may be luck.

    Everything but the cost rows, the benchmark (`buy_and_hold`, unless given) and missing neighbours of the best 32
    (through `evaluate`) comes from the moments in `table`. Statistics are of Sharpe ratios per bar whatever the
    objective; only the choice of the best, the plateau and the heat map go by the first score. `earlier_trials`
    count as attempts besides this study's. A statistic that cannot be had (one candidate, no variance, too few
    bars) is None; the same arguments give the same evidence.
    """
    held = benchmark if benchmark is not None else buy_and_hold(panel, execution)
    blocks = table.moments.shape[1]
    bars = bars_per_block(panel.bars, blocks) if blocks else np.zeros(0)
    ranked = _ranked(table, bars)
    fields = _EMPTY | _counts(table, bars, earlier_trials=earlier_trials) | {"benchmark": benchmark_figures(held)}
    closed_trades = 0
    if ranked is not None:
        best = int(ranked.rows[best_of(table.scores[ranked.rows, 0], ranked.numbers)])
        fields |= _deflation(table, ranked, shape_of(table.moments[best], bars), earlier_trials=earlier_trials)
        fields |= _overfitting(ranked) | _tests(ranked, held.returns, seed=seed, samples=samples)
        fields |= {"walk_forward": _walks(space, ranked), "cpcv": _cpcv(ranked)}
        fields |= {"choices": choices_of(space, table, ranked.cut, ranked.rows, evaluate=evaluate)}
        fields |= {"heat_map": heat_map(space.strategy.param_names, table.params, _finite_scores(table))}
        params = space.values_at(int(table.numbers[best]))
        fields |= {"costs": cost_sensitivity(space.strategy, params, panel, execution)}
        closed_trades = int(table.metrics[best, METRICS.index("closed_trades")])
    evidence = Evidence(**fields)
    word, line = judge(evidence, closed_trades=closed_trades)
    return replace(evidence, word=word, verdict=line)


def _counts(table: Table, bars: Row, *, earlier_trials: int) -> dict[str, Any]:
    by_state = np.bincount(table.states, minlength=len(STATES))
    return {
        "trials": table.size,
        "earlier_trials": earlier_trials,
        "ranked": int(table.ranked.size),
        "failed": int(by_state[STATES.index(State.FAILED)]),
        "pruned": int(by_state[STATES.index(State.PRUNED)]),
        "returns": int(bars.sum()),
    }


def _ranked(table: Table, bars: Row) -> _Ranked | None:
    rows = table.ranked
    rows = rows[np.argsort(table.numbers[rows], kind="stable")]
    if not rows.size or not bars.size:
        return None
    return _Ranked(rows, table.numbers[rows], BlockReturns.from_moments(table.moments[rows, :, :2], bars))


def _finite_scores(table: Table) -> Row:
    scores = np.full(table.size, np.nan)
    scores[table.ranked] = table.scores[table.ranked, 0]
    return scores


def _deflation(table: Table, ranked: _Ranked, shape: ReturnShape | None, *, earlier_trials: int) -> dict[str, Any]:
    """Return the statistics of the best ratio. Without two ratios V is that of one estimate of 0: `1 / (T - 1)`."""
    if shape is None:
        return {}
    ratios = sharpe_ratios(ranked.cut.sums.sum(axis=0), ranked.cut.squares.sum(axis=0), ranked.cut.bars.sum())
    ratios = ratios[np.isfinite(ratios)]
    variance = float(ratios.var(ddof=1)) if ratios.size > 1 else 1.0 / (shape.n - 1.0)
    attempts = table.size + earlier_trials
    luck = expected_max_sharpe(trials=attempts, variance=variance)
    moments = {"skew": shape.skew, "kurtosis": shape.kurtosis}
    independent = effective_trials(ranked.cut, trials=attempts)
    fewer = None if independent is None else expected_max_sharpe(trials=max(1, round(independent)), variance=variance)
    length = min_track_record_length(shape.sharpe, benchmark=0.0, **moments)
    return {
        "sharpe": shape.sharpe,
        "skew": shape.skew,
        "kurtosis": shape.kurtosis,
        "psr": psr(shape.sharpe, benchmark=0.0, n=shape.n, **moments),
        "luck_sharpe": luck,
        "deflated_sharpe": psr(shape.sharpe, benchmark=luck, n=shape.n, **moments),
        "effective_trials": independent,
        "deflated_sharpe_effective": None
        if fewer is None
        else psr(shape.sharpe, benchmark=fewer, n=shape.n, **moments),
        "min_track_record": length if math.isfinite(length) else None,
    }


def _overfitting(ranked: _Ranked) -> dict[str, Any]:
    """Return the PBO figures, none for fewer than 2 candidates or if all are the same."""
    cut = ranked.cut
    if cut.candidates < 2 or cut.blocks < PBO_BLOCKS or not np.ptp(cut.sums, axis=1).any():
        return {}
    found = pbo(cut, blocks=PBO_BLOCKS)
    return {
        "pbo": found.pbo,
        "pbo_slope": found.slope,
        "pbo_loss": found.loss,
        "pbo_splits": found.splits,
        "pbo_candidates": found.candidates,
    }


def _tests(ranked: _Ranked, benchmark: Row, *, seed: int, samples: int) -> dict[str, Any]:
    check, found = both_tests(excess_at_equal_risk(ranked.cut, benchmark), samples=samples, seed=seed)
    return {
        "reality_check_p": check.p,
        "spa_lower_p": found.lower,
        "spa_consistent_p": found.consistent,
        "spa_upper_p": found.upper,
        "bootstrap_samples": samples,
    }


def _walks(space: Space, ranked: _Ranked) -> tuple[WalkForward, ...]:
    if ranked.cut.blocks < PBO_BLOCKS:
        return ()
    schemes: tuple[Scheme, ...] = ("rolling", "anchored")
    return tuple(_named(walk_forward(ranked.cut, scheme=scheme), space, ranked) for scheme in schemes)


def _named(walk: WalkForward, space: Space, ranked: _Ranked) -> WalkForward:
    numbers = [int(ranked.numbers[fold.number]) for fold in walk.folds]
    folds = zip(walk.folds, numbers, strict=True)
    return replace(
        walk, folds=tuple(replace(fold, number=number, params=space.values_at(number)) for fold, number in folds)
    )


def _cpcv(ranked: _Ranked) -> Cpcv | None:
    return cpcv(ranked.cut, groups=GROUPS) if ranked.cut.blocks >= PBO_BLOCKS else None
