"""Evaluation of lattice points: metrics, scores, moments, and what became of every candidate."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chandlery.backtest import BLOCKS, METRICS, Execution, Panel, evaluate_many
from chandlery.errors import ChandleryError
from chandlery.optimize.batches import STATES, Batch, State
from chandlery.optimize.objective import scores
from chandlery.optimize.pruning import head_bars, head_moments, is_pruned
from chandlery.optimize.space import Space

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]

_COMPLETE, _PRUNED, _FAILED = (STATES.index(state) for state in (State.COMPLETE, State.PRUNED, State.FAILED))
MERGED_BLOCKS = 16
_FINE_UP_TO = 20_000


def blocks_for(budget: int) -> int:
    """Return the blocks of moments a study keeps: 64, or 16 beyond 20,000 candidates (2 KB or 0.5 KB each)."""
    return BLOCKS if budget <= _FINE_UP_TO else MERGED_BLOCKS


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Outcomes:
    """What became of some candidates, columns as in `Batch`; `reasons` by position."""

    metrics: Floats
    moments: Floats
    states: NDArray[np.uint8]
    reasons: dict[int, str]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Evaluator:
    """Evaluates lattice points of `space` on `panel`; deterministic bit by bit, whatever is evaluated together.

    `prunes`: candidates are first run over the leading quarter of the bars and given up where that says they are
    worse than half of those before (see `pruning`).
    """

    space: Space
    panel: Panel
    execution: Execution
    objectives: tuple[str, ...]
    blocks: int
    prunes: bool = False

    def batch(self, numbers: Numbers, *, index: int, part: int, first_seq: int, earlier: Sequence[Batch]) -> Batch:
        """Return one part of a batch, evaluated; `earlier` are the batches before it, by which it is pruned."""
        params = self.space.rows(numbers)
        outcomes = self._pruned(params, earlier) if self.prunes else self._whole(params, self.panel)
        score = np.where((outcomes.states == _COMPLETE)[:, None], scores(outcomes.metrics, self.objectives), -np.inf)
        return Batch(
            index=index,
            part=part,
            first_seq=first_seq,
            numbers=numbers,
            params=params,
            scores=score,
            metrics=outcomes.metrics,
            moments=_merged(outcomes.moments, self.blocks),
            states=outcomes.states,
            reasons=outcomes.reasons,
        )

    def _pruned(self, params: Floats, earlier: Sequence[Batch]) -> Outcomes:
        """Run the leading quarter of all, then the whole of those it does not give up."""
        head = self._whole(params, self.panel.head(head_bars(self.panel.bars)))
        given_up = is_pruned(head.moments, earlier, bars=self.panel.bars) & (head.states == _COMPLETE)
        going_on = np.flatnonzero(~given_up)
        rest = self._whole(params[going_on], self.panel)
        metrics, moments, states = head.metrics.copy(), head_moments(head.moments), head.states.copy()
        metrics[going_on], moments[going_on], states[going_on] = rest.metrics, rest.moments, rest.states
        states[given_up] = _PRUNED
        reasons = {int(going_on[position]): reason for position, reason in rest.reasons.items()}
        told = "Sharpe ratio of the first quarter below the median of the candidates before"
        reasons |= {int(position): told for position in np.flatnonzero(given_up)}
        return Outcomes(metrics=metrics, moments=moments, states=states, reasons=reasons)

    def _whole(self, params: Floats, panel: Panel) -> Outcomes:
        """Evaluate candidates; one that fails is found by halving and kept with its reason."""
        count = params.shape[0]
        metrics, moments = np.full((count, len(METRICS)), np.nan), np.zeros((count, BLOCKS, 4))
        states, reasons = np.full(count, _COMPLETE, dtype=np.uint8), {}
        spans = [(0, count)] if count else []
        while spans:
            first, end = spans.pop()
            try:
                found = evaluate_many(self.space.strategy, params[first:end], panel, self.execution, keep_moments=True)
            except ChandleryError as error:
                if end - first == 1:
                    states[first], reasons[first] = _FAILED, str(error)
                    continue
                middle = (first + end) // 2
                spans += [(middle, end), (first, middle)]
            else:
                assert found.moments is not None  # noqa: S101 - asked for above
                metrics[first:end], moments[first:end] = found.metrics, found.moments
        return Outcomes(metrics=metrics, moments=moments, states=states, reasons=reasons)


def _merged(moments: Floats, blocks: int) -> Floats:
    """Return moments `[n, blocks, 4]`, neighbouring blocks added together."""
    if moments.shape[1] == blocks:
        return moments
    merged: Floats = moments.reshape(moments.shape[0], blocks, moments.shape[1] // blocks, 4).sum(axis=2)
    return merged
