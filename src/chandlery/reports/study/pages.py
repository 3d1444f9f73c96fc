"""The pages as texts and pictures: all that the template lays out, drawn from the document and nothing else."""

from typing import Any

from chandlery.reports.study import charts, tables
from chandlery.reports.study.bars import histogram, paired_bars
from chandlery.reports.study.parameter_map import parameter_map
from chandlery.reports.study.schema import StudyReport, Verdict, WalkForwardBlock
from chandlery.reports.study.style import COLOURS, FONT
from chandlery.reports.study.words import breakable, moment, number, settings, whole

_TONES = {"holds": "green", "doubtful": "amber", "luck": "red", "nothing": "muted"}


def pages(report: StudyReport) -> dict[str, Any]:
    """Return what the template reads: plain texts, lists of texts, and SVG pictures."""
    series = report["series"]
    return {
        "font": FONT,
        "colours": COLOURS,
        "title": breakable(report["title"]),
        "strategy": breakable(report["strategy"]),
        "symbol": breakable(report["symbol"]),
        "date": [int(part) for part in report["last_ts"][:10].split("-")],
        "span": f"{moment(report['first_ts'], '1d')} to {moment(report['last_ts'], '1d')}",
        "timeframe": report["timeframe"],
        "study_id": report["study_id"],
        "report_id": report["report_id"][:16],
        "code": report["asked"]["code_version"],
        "verdict": {
            **report["verdict"],
            "sentence": whole(_plain(report["verdict"])),
            "tone": _TONES.get(report["verdict"]["word"], "muted"),
        },
        "best": settings(report["best_params"]),
        "figures": tables.key_figures(report),
        "asked": tables.asked(report),
        "growth": charts.growth(series),
        "growth_note": "logarithmic scale" if charts.is_log(series) else "linear scale",
        "drawdown": charts.drawdown(series),
        "map": _map(report),
        "evidence": tables.evidence(report),
        "paths": _paths(report),
        "walks": [_walk(block, report["timeframe"]) for block in report["walk_forward"]],
        "costs": tables.costs(report),
        "choices": tables.choices(report),
        "choices_note": _front_note(report),
        "trades": _trades(report),
        "parameters": tables.parameters(report),
        "wording": tables.wording(report),
        "doc": report["definition"]["doc"],
        "refs": list(report["definition"]["refs"]),
        "definition_hash": report["asked"]["definition_hash"],
        "panel_id": report["asked"]["panel_id"],
    }


def _plain(verdict: Verdict) -> str:
    """Return the sentence without the word it opens with: the headline has said it."""
    sentence = verdict["sentence"].removeprefix(f"{verdict['word'].capitalize()}: ")
    return sentence[:1].upper() + sentence[1:]


def _map(report: StudyReport) -> dict[str, str] | None:
    heat = report["heat_map"]
    if heat is None or not heat["x_values"] or not heat["y_values"]:
        return None
    marks = {row["kind"]: row["params"] for row in report["choices"] if row["kind"] in {"in_sample", "plateau"}}
    others = [name for name in report["best_params"] if name not in {heat["x"], heat["y"]}]
    return {
        "picture": parameter_map(heat, marks, objective=report["asked"]["objective"]),
        "note": f"Best {report['asked']['objective']} over {settings_names(others)}. " if others else "",
    }


def settings_names(names: list[str]) -> str:
    """Return names as a phrase."""
    return f"all values of {', '.join(breakable(name) for name in names)}"


def _paths(report: StudyReport) -> dict[str, str] | None:
    cpcv = report["cpcv"]
    known = [] if cpcv is None else [value for value in cpcv["paths"] if value is not None]
    if cpcv is None or not known:
        return None
    return {
        "picture": histogram(known, title="Sharpe ratio a bar of every path"),
        "note": f"Sharpe ratio a bar of the {len(cpcv['paths'])} paths of combinatorial purged cross-validation: "
        f"{cpcv['groups']} groups, {cpcv['tested']} tested at a time, {cpcv['splits']} splits, embargo of "
        f"{cpcv['embargo']}.",
    }


def _walk(block: WalkForwardBlock, timeframe: str) -> dict[str, Any]:
    ratios = [(fold["train_sharpe"], fold["test_sharpe"]) for fold in block["folds"]]
    years = [moment(fold["test_first"], timeframe)[:7] for fold in block["folds"]]
    step = max(1, -(-len(years) // 12))
    labels = [label if place % step == 0 else "" for place, label in enumerate(years)]
    return {
        "scheme": block["scheme"],
        "figures": [
            ["Sharpe ratio a bar, stitched", number(block["sharpe"], "sharpe")],
            ["Mean return a bar, bps", number(_bps(block["mean_return"]), "ratio")],
            ["Efficiency", number(block["efficiency"], "fraction")],
        ],
        "picture": paired_bars(ratios, labels, title=f"Walk-forward, {block['scheme']}") if ratios else None,
        "rows": tables.folds(block, timeframe),
        "count": len(block["folds"]),
    }


def _bps(value: float | None) -> float | None:
    return None if value is None else value * 10_000.0


def _front_note(report: StudyReport) -> str:
    front = sum(row["kind"] == "pareto" for row in report["choices"])
    if front <= tables.SHOWN_FRONT:
        return ""
    return f"The first {tables.SHOWN_FRONT} of {front:,} members of the Pareto front; all are in the JSON export."


def _trades(report: StudyReport) -> dict[str, Any]:
    found = report["trades"]
    figures = [
        ["Trades", f"{found['total']:,}"],
        ["Closed", f"{found['closed']:,}"],
        *([name.capitalize(), number(found[name], "fraction")] for name in ("mean", "median", "best", "worst")),  # type: ignore[literal-required]
    ]
    percent = [100.0 * value for value in found["returns"]]
    shown = len(found["first"]) + len(found["last"])
    return {
        "figures": figures,
        "picture": histogram(percent, title="Net return of closed trades", form="{:g} %", bins=20, width=720.0)
        if len(percent) > 1
        else None,
        "rows": tables.trades(report),
        "note": f"The first and last {len(found['last'])} of {found['total']:,} trades."
        if shown < found["total"]
        else "",
    }
