"""Why a score is what it is: every lost point with the term that lost it and the checks that say so."""

import math
from dataclasses import dataclass

import polars as pl

from chandlery.quality.checks import CHECKS, Term
from chandlery.quality.findings import Severity
from chandlery.quality.score import CAPS, FLOOR, cap, scaled_weights, terms, uncapped
from chandlery.quality.tally import Tally, costing

CAP = "cap"
_SHOWN = ("ts", "ts_end", "rule", "check", "severity", "verdict", "term", "evidence")
_MISSING_SESSION, _MISSING_MINUTES = 8, 17


@dataclass(frozen=True, slots=True, eq=False)
class Loss:
    """Points that a partition lost.

    Attributes:
        name: the term, or `cap`.
        value: of the term, or the cap.
        weight: of the term, scaled to the terms that exist; of the cap 0.
        points: what it took from the score; all losses and the score add up to 1.
        checks: numbers of the checks responsible, ascending, at least one.
        findings: those responsible, with their evidence, ascending by ts; none where bars are absent or late by less
            than a check objects to.
    """

    name: str
    value: float
    weight: float
    points: float
    checks: tuple[int, ...]
    findings: pl.DataFrame


def explain(tally: Tally, findings: pl.DataFrame) -> tuple[Loss, ...]:
    """Return the lost points of a partition, the largest loss first; nothing without a score or at a score of 1.

    A geometric mean loses by its factors: each term takes of the points its share of the logarithm.

    Args:
        tally: of the partition.
        findings: those that touch it, as the tally was counted from.
    """
    values = terms(tally)
    if not values:
        return ()
    weights = scaled_weights(values)
    logs = {term: -weights[term] * math.log(max(value, FLOOR)) for term, value in values.items()}
    whole, reached = math.fsum(logs.values()), uncapped(values)
    charged = costing(findings).sort("ts", "rule")
    losses = [
        _lost_by_term(term, values[term], weights[term], (1.0 - reached) * part / whole, tally, charged)
        for term, part in logs.items()
        if part > 0
    ]
    if cap(tally) < reached:
        losses.append(_lost_by_cap(tally, reached, charged))
    return tuple(sorted(losses, key=lambda loss: -loss.points))


def _lost_by_term(  # noqa: PLR0917 - one line of the explanation
    term: Term, value: float, weight: float, points: float, tally: Tally, charged: pl.DataFrame
) -> Loss:
    lowering = {term}
    if term is Term.PLAUSIBILITY:
        lowering |= {Term.VALIDITY} if tally.compared else {Term.VALIDITY, Term.CONSISTENCY}
    responsible = charged.filter(pl.col("term").is_in([name.value for name in lowering]))
    if term is Term.VALIDITY:
        critical = pl.col("severity") == Severity.CRITICAL.value
        responsible = charged.filter(critical & pl.col("term").is_in([term.value, Term.PLAUSIBILITY.value]))
    checks = tuple(sorted(set(responsible["check"]))) or _usual_checks(term, tally)
    return Loss(term.value, value, weight, points, checks, responsible.select(_SHOWN))


def _usual_checks(term: Term, tally: Tally) -> tuple[int, ...]:
    """Return the checks that watch a term, for what is lost below any threshold."""
    if term is Term.COMPLETENESS:
        return (_MISSING_MINUTES,) if tally.present else (_MISSING_SESSION,)
    return tuple(number for number, check in CHECKS.items() if check.term is term)


def _lost_by_cap(tally: Tally, reached: float, charged: pl.DataFrame) -> Loss:
    severity = Severity.CRITICAL if tally.has_critical else Severity.MAJOR
    responsible = charged.filter(pl.col("severity") == severity.value)
    checks = tuple(sorted(set(responsible["check"])))
    return Loss(CAP, CAPS[severity], 0.0, reached - CAPS[severity], checks, responsible.select(_SHOWN))
