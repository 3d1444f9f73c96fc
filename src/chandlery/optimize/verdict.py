"""The verdict: one word and one line a person can read, from the evidence alone."""

from chandlery.optimize.evidence import Evidence, WalkForward, Word

CONFIDENCE = 0.95
"""Deflated Sharpe ratio from which a result is not put down to luck; 1 less it is the level of the tests."""

MOST_PBO = 0.5
LEAST_TRADES = 30
LEAST_CANDIDATES = 10
"""Fewer candidates have ranks too coarse for their PBO to count."""


def judge(evidence: Evidence, *, closed_trades: int) -> tuple[Word, str]:
    """Return the word and the line.

    `nothing`: no candidate is ranked, or the best has no variance. `luck`: the deflated Sharpe ratio (all attempts
    counted, earlier ones too) is below 0.95, or Hansen's consistent p is above 0.05: the whole search does not beat
    the better of holding and cash at equal risk. `holds`: besides both, PBO is at most 0.5 (of 10 candidates or
    more), the rolling walk-forward has a Sharpe ratio above 0, and the best closed 30 trades. Else `doubtful`.
    """
    if not evidence.ranked or evidence.deflated_sharpe is None or evidence.sharpe is None:
        return Word.NOTHING, _nothing(evidence)
    if evidence.deflated_sharpe < CONFIDENCE:
        return Word.LUCK, f"Luck: {_compared(evidence)}; {_figures(evidence)}."
    p = evidence.spa_consistent_p
    if p is None or p > 1.0 - CONFIDENCE:
        return Word.LUCK, (
            f"Luck: {_compared(evidence)}, but the search as a whole does not beat the better of holding and cash at "
            f"equal risk (SPA p above 0.05); {_figures(evidence)}."
        )
    doubts = _doubts(evidence, closed_trades)
    if doubts:
        return Word.DOUBTFUL, f"Doubtful: {_compared(evidence)}, but {' and '.join(doubts)}; {_figures(evidence)}."
    ratio = _rolling_sharpe(evidence.walk_forward)
    return Word.HOLDS, (
        f"Holds: {_compared(evidence)}; {_figures(evidence)}, walk-forward Sharpe {ratio:.3f}, {closed_trades} trades."
    )


def _nothing(evidence: Evidence) -> str:
    if not evidence.ranked:
        return f"Nothing: none of {evidence.trials:,} candidates could be ranked; this panel says nothing about it."
    return f"Nothing: the best of {evidence.trials:,} candidates has no variance; this panel says nothing about it."


def _compared(evidence: Evidence) -> str:
    attempts = evidence.trials + evidence.earlier_trials
    if attempts == 1:
        return f"the only candidate has Sharpe {evidence.sharpe:.3f} a bar"
    return (
        f"best of {attempts:,} attempts has Sharpe {evidence.sharpe:.3f} a bar, the best of so many worthless "
        f"candidates would show {evidence.luck_sharpe:.3f}"
    )


def _figures(evidence: Evidence) -> str:
    parts = [f"DSR {evidence.deflated_sharpe:.2f}"]
    if evidence.pbo is not None:
        parts.append(f"PBO {evidence.pbo:.2f}")
    if evidence.spa_consistent_p is not None:
        parts.append(f"SPA p {evidence.spa_consistent_p:.2f}")
    return ", ".join(parts)


def _doubts(evidence: Evidence, closed_trades: int) -> list[str]:
    doubts = []
    if evidence.pbo is not None and evidence.pbo_candidates >= LEAST_CANDIDATES and evidence.pbo > MOST_PBO:
        doubts.append(f"the best of half the blocks falls behind on the other half in {evidence.pbo:.0%} of splits")
    ratio = _rolling_sharpe(evidence.walk_forward)
    if ratio is None:
        doubts.append("it cannot be walked forward")
    elif not ratio > 0.0:
        doubts.append(f"chosen anew while trading it shows Sharpe {ratio:.3f}")
    if closed_trades < LEAST_TRADES:
        doubts.append(f"it closed only {closed_trades} trades of {LEAST_TRADES} asked for")
    return doubts


def _rolling_sharpe(walks: tuple[WalkForward, ...]) -> float | None:
    return next((walk.sharpe for walk in walks if walk.scheme == "rolling"), None)
