"""The tests of overfitting: value, what is asked of it, and one plain sentence on what it means here."""

from collections.abc import Mapping
from typing import Any

from chandlery.reports.study.schema import EvidenceRow, Verdict

_HEADLINES = {
    "nothing": "The data say nothing about this strategy.",
    "luck": "Luck explains this result well enough.",
    "doubtful": "Doubtful: some tests pass, others do not.",
    "holds": "It holds: luck is an unlikely explanation.",
}
_CONFIDENCE, _SIGNIFICANCE, _HALF = 0.95, 0.05, 0.5


def verdict(evidence: Mapping[str, Any]) -> Verdict:
    """Return the verdict with its headline."""
    word = evidence["word"]
    return {"word": word, "headline": _HEADLINES.get(word, str(word)), "sentence": evidence["verdict"]}


def evidence_rows(evidence: Mapping[str, Any]) -> list[EvidenceRow]:
    """Return one row per test, in the order they are read."""
    return [
        *_sharpe_rows(evidence),
        _track_record(evidence),
        *_search_rows(evidence),
        *_walk_rows(evidence["walk_forward"]),
        *_path_rows(evidence["cpcv"]),
    ]


def _sharpe_rows(found: Mapping[str, Any]) -> list[EvidenceRow]:
    attempts = found["trials"] + found["earlier_trials"]
    luck = _said(found["luck_sharpe"], "{:.4f} a bar")
    effective = _said(found["effective_trials"], "{:,.1f}")
    return [
        _at_least(
            "psr",
            "Probabilistic Sharpe ratio (PSR)",
            found["psr"],
            "Probability that the true Sharpe ratio of the best candidate is above zero, as if it were the only one "
            "ever tried.",
        ),
        _at_least(
            "deflated_sharpe",
            "Deflated Sharpe ratio (DSR)",
            found["deflated_sharpe"],
            f"Probability that it is above {luck}, what the best of {attempts:,} worthless attempts would show.",
        ),
        _at_least(
            "deflated_sharpe_effective",
            "DSR, effective attempts",
            found["deflated_sharpe_effective"],
            f"The same after counting correlated candidates once: {effective} independent attempts remain.",
        ),
    ]


def _track_record(found: Mapping[str, Any]) -> EvidenceRow:
    needed, have = found["min_track_record"], found["returns"]
    return {
        "id": "min_track_record",
        "label": "Minimum track record (MinTRL)",
        "value": needed,
        "kind": "count",
        "asked": f"at most {have:,}",
        "passed": None if needed is None else needed <= have,
        "reading": f"Bars of history needed before a PSR of 0.95 can be claimed; this study has {have:,}.",
    }


def _search_rows(found: Mapping[str, Any]) -> list[EvidenceRow]:
    samples = f"{found['bootstrap_samples']:,} resamples"
    loss = _said(found["pbo_loss"], "{:.0%}")
    return [
        {
            "id": "pbo",
            "label": "Probability of overfitting (PBO)",
            "value": found["pbo"],
            "kind": "probability",
            "asked": "at most 0.50",
            "passed": None if found["pbo"] is None else found["pbo"] <= _HALF,
            "reading": f"Share of {found['pbo_splits']:,} half-and-half splits in which the best of one half is below "
            f"the median in the other; it loses money there in {loss}.",
        },
        _at_most(
            "reality_check_p",
            "White's reality check, p",
            found["reality_check_p"],
            "Probability of so good a best candidate if none were better than holding or cash at equal risk "
            f"({samples}).",
        ),
        _at_most(
            "spa_consistent_p",
            "Hansen's SPA, p",
            found["spa_consistent_p"],
            "The same, with hopeless candidates taken out; lower and upper bound "
            f"{_said(found['spa_lower_p'], '{:.3f}')} and {_said(found['spa_upper_p'], '{:.3f}')}.",
        ),
    ]


def _walk_rows(schemes: list[Mapping[str, Any]]) -> list[EvidenceRow]:
    return [
        {
            "id": f"walk_forward_{scheme['scheme']}",
            "label": f"Walk-forward, {scheme['scheme']}",
            "value": scheme["sharpe"],
            "kind": "sharpe",
            "asked": "above 0",
            "passed": None if scheme["sharpe"] is None else scheme["sharpe"] > 0.0,
            "reading": "Sharpe ratio a bar of choosing on the past and trading the next span, "
            f"{len(scheme['folds'])} times; {_said(scheme['efficiency'], '{:.0%}')} of what was seen in training.",
        }
        for scheme in schemes
    ]


def _path_rows(cpcv: Mapping[str, Any] | None) -> list[EvidenceRow]:
    if cpcv is None:
        return []
    return [
        {
            "id": "cpcv",
            "label": "CPCV, median path",
            "value": cpcv["median"],
            "kind": "sharpe",
            "asked": "above 0",
            "passed": None if cpcv["median"] is None else cpcv["median"] > 0.0,
            "reading": f"Median Sharpe ratio a bar over {len(cpcv['paths'])} recombined histories that were never "
            f"trained on; {_said(cpcv['share_below_zero'], '{:.0%}')} of them end below zero.",
        }
    ]


def _at_least(name: str, label: str, value: float | None, reading: str) -> EvidenceRow:
    return {
        "id": name,
        "label": label,
        "value": value,
        "kind": "probability",
        "asked": "at least 0.95",
        "passed": None if value is None else value >= _CONFIDENCE,
        "reading": reading,
    }


def _at_most(name: str, label: str, value: float | None, reading: str) -> EvidenceRow:
    row = _at_least(name, label, value, reading)
    row["asked"] = "at most 0.05"
    row["passed"] = None if value is None else value <= _SIGNIFICANCE
    return row


def _said(value: float | None, form: str) -> str:
    return "an unknown number" if value is None else form.format(value).replace("%", "\u00a0%")
