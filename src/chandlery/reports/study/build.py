"""Inputs in, document out."""

from dataclasses import asdict
from typing import Any, cast

from chandlery.reports.canonical import canonical, digest
from chandlery.reports.study.curves import figures, iso, series
from chandlery.reports.study.evidence_rows import evidence_rows, verdict
from chandlery.reports.study.inputs import StudyFacts, StudyInputs
from chandlery.reports.study.schema import SCHEMA_VERSION, StudyReport
from chandlery.reports.study.spans import choice_rows, trades, walk_forward

_COUNTED = ("trials", "earlier_trials", "ranked", "failed", "pruned")


def build_study_report(inputs: StudyInputs) -> StudyReport:
    """Return the report of a study; equal inputs give equal documents.

    Floats carry 10 significant digits. `report_id` is the SHA-256 of all the rest of the document.
    """
    facts, evidence = inputs.facts, inputs.evidence
    document: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "study_id": facts.study_id,
        "title": inputs.definition["title"],
        "strategy": facts.strategy,
        "symbol": facts.symbol,
        "timeframe": facts.timeframe,
        "first_ts": iso(facts.first_ts),
        "last_ts": iso(facts.last_ts),
        "verdict": verdict(evidence),
        "asked": _asked(facts, inputs.periods_per_year),
        "counts": {name: evidence[name] for name in _COUNTED},
        "best_params": dict(facts.best_params),
        "figures": figures(inputs),
        "series": series(inputs.curve),
        "heat_map": evidence["heat_map"],
        "tests": evidence_rows(evidence),
        "cpcv": evidence["cpcv"],
        "walk_forward": walk_forward(evidence["walk_forward"], inputs.curve["ts"].to_list()),
        "costs": list(evidence["costs"]),
        "choices": choice_rows(evidence["choices"]),
        "trades": trades(inputs.trades),
        "definition": dict(inputs.definition),
        "evidence": dict(evidence),
    }
    plain = cast("dict[str, Any]", canonical(document))
    return cast("StudyReport", {**plain, "report_id": digest(plain)})


def _asked(facts: StudyFacts, periods_per_year: float) -> dict[str, Any]:
    left_out = ("first_ts", "last_ts", "metrics", "best_params", "study_id", "strategy", "symbol", "timeframe")
    row = {name: value for name, value in asdict(facts).items() if name not in left_out}
    return {**row, "question": dict(facts.question), "periods_per_year": periods_per_year}
