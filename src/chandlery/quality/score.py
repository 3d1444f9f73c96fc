"""The score: how far to trust a bar, a session of bars, a symbol; every lost point names the check that took it.

**Which findings cost.** Verdict `confirmed` or `suspected`, state `open` or `confirmed`, term other than `none`,
severity other than `info`. w = 1 critical, .5 major, .15 minor. A finding covers a minute of its timeframe when
`ts <= bar < coalesce(ts_end, ts + 1 minute)`, a day bar when `session <= the bar's session <= last_session`; it touches
a partition when `session <= the partition's session <= last_session`.

**Bar.** q = product of (1 - w) over the findings of validity, plausibility and consistency that cover it.

**Partition** (instrument, session, timeframe). Its counts (`quality/tally.py`), all additive:

- expected: the minutes of the regular session less halts, times the usual share where that is under .95 (check 17:
  median of present / minutes over the 20 sessions with bars before), rounded, at least 1; one day bar; 0 when unlisted.
- present: published regular bars, each minute once; fillers are no bars where volume means trades.
- judged: those and the bars held in quarantine.
- sound: judged bars that no critical finding of validity or plausibility covers.
- plausibility: sum over the sound bars of product (1 - w), over findings of validity and plausibility, and of
  consistency where `compared` is 0.
- compared: `judged` where the session has a second witness (a day bar for minutes, complete minutes for a day bar,
  bars of another, independent source), else 0.
- consistency: sum over the compared bars of product (1 - w), over findings of consistency.
- timed: 1 if the session ended at or after the instrument was first tracked, and bars came or the deadline is over.
- timely: of a timed session clamp((3 L - delay) / (2 L), 0, 1), 0 without bars; delay = first bar known - close of the
  session, L = deadline - close (`quality/deadlines.py`).
- has_major, has_critical: whether a finding of that severity touches the partition.

Terms with their weights: validity .30 = sound / judged; completeness .25 = min(1, present / expected); consistency .20
= consistency / compared; plausibility .15 = plausibility / judged; timeliness .10 = timely / timed. A term whose
denominator is 0 does not exist; timeliness that exists is 0 without a judged bar.

    S = exp(sum w ln max(x, .01) / sum w)       over the terms that exist
    S = min(S, .5) while has_major, min(S, .2) while has_critical; NULL when expected = 0

**Symbol, dataset.** The mean over partitions with a score, and the worst decile: the mean of the ceil(n / 10) lowest.

Why so, where a shorter reading would break "a finding more never raises a score":

- An unsound bar counts 0 in plausibility. Averaged over the sound bars alone, a doubtful bar that turns out fatal
  would leave the average and lift it, unseen by a validity already at its floor of .01.
- Whether a term exists never depends on findings. A consistency finding where nothing was compared (two share bases
  inside one series) counts in plausibility: a term that appears with .85 beside others at .3 would lift the score.
- A second witness that arrives is knowledge, not damage: the score may move either way.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import polars as pl

from chandlery.quality.checks import Term
from chandlery.quality.findings import Severity
from chandlery.quality.tally import Tally, costing

WEIGHTS: Mapping[Term, float] = MappingProxyType(
    {
        Term.VALIDITY: 0.30,
        Term.COMPLETENESS: 0.25,
        Term.CONSISTENCY: 0.20,
        Term.PLAUSIBILITY: 0.15,
        Term.TIMELINESS: 0.10,
    }
)
FLOOR = 0.01
"""What a term of 0 counts as: no geometric mean survives a zero, and one bad bar in 390 is not worth the whole day."""
CAPS: Mapping[Severity, float] = MappingProxyType({Severity.CRITICAL: 0.2, Severity.MAJOR: 0.5})
_OF_A_BAR = (Term.VALIDITY, Term.PLAUSIBILITY, Term.CONSISTENCY)


def bar_score(findings: pl.DataFrame) -> float:
    """Return the score of one bar from the findings that cover it, in [0, 1]; 1 without any.

    Args:
        findings: the columns of `FINDING_SCHEMA`, and `state` if they have one.
    """
    about = costing(findings).filter(pl.col("term").is_in([term.value for term in _OF_A_BAR]))
    counts: dict[str, int] = dict(about.group_by("severity").len().iter_rows())
    return math.prod(math.pow(1.0 - severity.weight, counts.get(severity.value, 0)) for severity in Severity)


def terms(tally: Tally) -> dict[Term, float]:
    """Return the terms that exist, each in [0, 1]; none where nothing was expected."""
    if tally.expected == 0:
        return {}
    shares = (
        (Term.VALIDITY, tally.sound, tally.judged),
        (Term.COMPLETENESS, tally.present, tally.expected),
        (Term.CONSISTENCY, tally.consistency, tally.compared),
        (Term.PLAUSIBILITY, tally.plausibility, tally.judged),
        (Term.TIMELINESS, tally.timely if tally.judged else 0.0, tally.timed),
    )
    return {term: min(1.0, part / whole) for term, part, whole in shares if whole > 0}


def scaled_weights(existing: Iterable[Term]) -> dict[Term, float]:
    """Return the weights of the terms that exist, scaled to a sum of 1."""
    chosen = {term: WEIGHTS[term] for term in existing}
    whole = math.fsum(chosen.values())
    return {term: weight / whole for term, weight in chosen.items()}


def uncapped(values: Mapping[Term, float]) -> float:
    """Return the weighted geometric mean of terms, none below its floor."""
    weights = scaled_weights(values)
    return math.exp(math.fsum(weights[term] * math.log(max(value, FLOOR)) for term, value in values.items()))


def cap(tally: Tally) -> float:
    """Return what the score cannot exceed while a major or critical finding costs."""
    if tally.has_critical:
        return CAPS[Severity.CRITICAL]
    return CAPS[Severity.MAJOR] if tally.has_major else 1.0


def score(tally: Tally) -> float | None:
    """Return the score of a partition in [0, 1], None where nothing was expected."""
    values = terms(tally)
    return min(uncapped(values), cap(tally)) if values else None


@dataclass(frozen=True, slots=True)
class Summary:
    """Scores of many partitions; both figures are None without any."""

    partitions: int
    mean: float | None
    worst_decile: float | None


def summarize(scores: Iterable[float | None]) -> Summary:
    """Return mean and worst decile of the scores of a symbol or a dataset; partitions without a score do not count."""
    known = sorted(value for value in scores if value is not None)
    if not known:
        return Summary(0, None, None)
    lowest = known[: math.ceil(len(known) / 10)]
    return Summary(len(known), math.fsum(known) / len(known), math.fsum(lowest) / len(lowest))
