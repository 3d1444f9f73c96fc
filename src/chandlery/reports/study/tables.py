"""The tables of the pages: rows of the document as texts."""

from collections.abc import Mapping, Sequence
from typing import Any

from chandlery.reports.study.schema import ChoiceRow, StudyReport, TradeRow, WalkForwardBlock
from chandlery.reports.study.words import NONE, breakable, moment, number, price, settings

Cells = list[str]

SHOWN_FOLDS = 16
SHOWN_FRONT = 10
_BPS = 10_000.0
_CHOICES = {
    "in_sample": "Best in sample",
    "plateau": "Plateau",
    "walk_forward": "Walk-forward",
    "pareto": "Pareto front",
}
_STATES = {True: "yes", False: "no", None: "unknown"}


def key_figures(report: StudyReport) -> list[Cells]:
    """Return label, strategy, buy and hold."""
    return [
        [row["label"], number(row["strategy"], row["unit"]), number(row["benchmark"], row["unit"])]
        for row in report["figures"]
    ]


def asked(report: StudyReport) -> list[Cells]:
    """Return what was asked, of which data and by which code, as label and text."""
    found, counts = report["asked"], report["counts"]
    earlier = f" and {counts['earlier_trials']:,} in earlier studies" if counts["earlier_trials"] else ""
    lost = [f"{counts[name]:,} {name}" for name in ("failed", "pruned") if counts[name]]
    lattice = report["definition"].get("lattice")
    return [
        ["Bars", f"{found['bars']:,} of {report['timeframe']}, {_span(report)}, from {found['source']}"],
        ["Search", f"{found['method']}, seed {found['seed']}, budget {found['budget']:,}, for {found['objective']}"],
        ["Evaluated", f"{counts['trials']:,} candidates" + (f" of {lattice:,} points" if lattice else "") + earlier],
        ["Ranked", ", ".join([f"{counts['ranked']:,}", *lost])],
        ["Costs", _costs(found["question"])],
        ["Definition", f"{report['strategy']}, version {found['strategy_version']}, {found['definition_hash'][:16]}"],
        ["Data", f"panel {found['panel_id'][:24]}"],
        ["Code", f"chandlery {found['code_version']}"],
        ["A year", f"{found['periods_per_year']:g} bars"],
    ]


def _span(report: StudyReport) -> str:
    first, last = (moment(report[name], report["timeframe"]) for name in ("first_ts", "last_ts"))  # type: ignore[literal-required]
    return f"{first} to {last}"


def _costs(question: Mapping[str, Any]) -> str:
    """Return the costs of the question, wherever it nests them."""
    flat = dict(question)
    for inner in ("execution", "costs"):
        flat |= dict(flat.get(inner) or {})
    said = [f"{name} {flat[name] * _BPS:g} bps" for name in ("fee", "slippage", "spread") if flat.get(name)]
    mode = f", {flat['mode']} mode" if flat.get("mode") else ""
    sides = f", {flat['sides']}" if flat.get("sides") else ""
    return (", ".join(said) or "none") + mode + sides


def evidence(report: StudyReport) -> list[Cells]:
    """Return label, value, what is asked, whether it passed (yes, no, unknown), reading."""
    return [
        [row["label"], number(row["value"], row["kind"]), row["asked"], _STATES[row["passed"]], row["reading"]]
        for row in report["tests"]
    ]


def folds(block: WalkForwardBlock, timeframe: str) -> list[Cells]:
    """Return test span, training span, parameters, both ratios; the first and last folds if they are many."""
    rows = [
        [
            f"{place + 1}",
            _between(fold["train_first"], fold["train_last"], timeframe),
            _between(fold["test_first"], fold["test_last"], timeframe),
            settings(fold["params"]),
            number(fold["train_sharpe"], "sharpe"),
            number(fold["test_sharpe"], "sharpe"),
        ]
        for place, fold in enumerate(block["folds"])
    ]
    return _ends(rows, SHOWN_FOLDS // 2)


def _between(first: str, last: str, timeframe: str) -> str:
    return f"{moment(first, timeframe)} {NONE} {moment(last, timeframe)}"


def costs(report: StudyReport) -> list[Cells]:
    """Return factor, final multiple, ratio, drawdown, trades."""
    return [
        [
            f"{row['factor']:g} \u00d7",
            number(row["equity"], "ratio"),
            number(row["bar_sharpe"], "sharpe"),
            NONE if row["max_dd"] is None else number(-abs(row["max_dd"]), "fraction"),
            f"{row['closed_trades']:,}",
        ]
        for row in report["costs"]
    ]


def choices(report: StudyReport) -> list[Cells]:
    """Return kind, parameters, scores, remarks; the front is cut after its first members."""
    front = [row for row in report["choices"] if row["kind"] == "pareto"]
    single = [row for row in report["choices"] if row["kind"] != "pareto"]
    return [_choice(row) for row in [*single, *front[:SHOWN_FRONT]]]


def _choice(row: ChoiceRow) -> Cells:
    name = _CHOICES.get(row["kind"], row["kind"])
    title = f"{name} {row['rank'] + 1}" if row["kind"] == "pareto" else name
    detail = [f"{key.replace('_', ' ')} {_detail(value)}" for key, value in row["detail"].items()]
    scores = ", ".join(number(score, "sharpe") for score in row["scores"])
    return [title, settings(row["params"]), scores, ", ".join(detail)]


def _detail(value: float | None) -> str:
    return number(value, "count" if value is not None and value == round(value) else "sharpe")


def trades(report: StudyReport) -> list[Cells]:
    """Return number, entry, exit, prices, return; a row of dots between first and last ones."""
    found, timeframe = report["trades"], report["timeframe"]
    first, last = ([_trade(row, timeframe) for row in found[name]] for name in ("first", "last"))  # type: ignore[literal-required]
    return [*first, *([["…"] * 6] if last else []), *last]


def _trade(row: TradeRow, timeframe: str) -> Cells:
    return [
        f"{row['seq'] + 1:,}",
        moment(row["entry_ts"], timeframe),
        moment(row["exit_ts"], timeframe) if row["exit_ts"] else "open",
        price(row["entry_price"]),
        price(row["exit_price"]),
        number(row["net_return"], "fraction"),
    ]


def parameters(report: StudyReport) -> list[Cells]:
    """Return name, lowest, highest, step, default, chosen."""
    best = report["best_params"]
    return [
        [
            breakable(entry["name"]),
            *(f"{entry[name]:g}" for name in ("lo", "hi", "step", "default")),
            f"{best[entry['name']]:g}" if entry["name"] in best else NONE,
        ]
        for entry in report["definition"]["params"]
    ]


def wording(report: StudyReport) -> list[dict[str, object]]:
    """Return the sections of the definition: title and pairs of name and text."""
    found = report["definition"]
    named: Sequence[tuple[str, Mapping[str, str]]] = (
        ("Where", found["let"]),
        ("Signals, decided at the close of a bar", found["signals"]),
        ("Rules", found["rules"]),
        ("Constraints", {f"{place + 1}": text for place, text in enumerate(found["constraints"])}),
    )
    return [
        {"title": title, "rows": [[breakable(name), text] for name, text in texts.items()]}
        for title, texts in named
        if texts
    ]


def _ends(rows: list[Cells], count: int) -> list[Cells]:
    if len(rows) <= 2 * count + 1:
        return rows
    return [*rows[:count], ["…"] * len(rows[0]), *rows[-count:]]
