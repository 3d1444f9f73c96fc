"""What a study is exported as: its report, its script, its tables, each as the bytes of a file."""

import io
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import polars as pl

from chandlery.backtest.execution import Costs, Execution, FeeKind, Mode
from chandlery.errors import InvalidInput, ResearchError, UnknownStrategy
from chandlery.optimize.facts import space_of
from chandlery.reports.study import StudyFacts, StudyInputs, StudyReport, build_study_report, render_pdf, to_json_bytes
from chandlery.steps.bar_spacing import periods_of
from chandlery.steps.catalogue import show_strategy
from chandlery.steps.exports import export_pine
from chandlery.store.study_reads import StudyRow, read_equity, read_evaluations, read_trades
from chandlery.store.warehouse import Warehouse
from chandlery.strategies import Sides, Strategy, definition_hash, get_definition

Json = Mapping[str, Any]


class Kind(StrEnum):
    """What can be made of a study."""

    PDF = "pdf"
    PINE = "pine"
    JSON = "json"
    TRADES_CSV = "trades_csv"
    TRADES_PARQUET = "trades_parquet"
    EVALUATIONS_CSV = "evaluations_csv"
    EVALUATIONS_PARQUET = "evaluations_parquet"


class Selected(StrEnum):
    """Which candidate of a study."""

    IN_SAMPLE = "in_sample"
    PLATEAU = "plateau"
    WALK_FORWARD = "walk_forward"


@dataclass(frozen=True, slots=True)
class Document:
    """A file before it is stored."""

    file_name: str
    mime_type: str
    content: bytes


_MIME = {
    "pdf": "application/pdf",
    "pine": "text/plain; charset=utf-8",
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
}


def make_document(
    warehouse: Warehouse, study: StudyRow, kind: Kind, *, choice: Selected = Selected.IN_SAMPLE
) -> Document:
    """Return the file of one kind; equal studies give equal bytes. `choice` picks the parameters of a script.

    Raises:
        ResearchError: the study is not finished, has no such choice, or its strategy has changed since.
        NotExportable: Pine cannot express the strategy.
        InvalidInput: a choice was named for a kind that shows all of them.
    """
    if study.finished_at is None:
        raise ResearchError(
            f"Study {study.study_id} is not finished; there is nothing to export yet. Watch it with "
            f"`chandlery study show {study.study_id[:12]}`, or go on with `chandlery study resume`."
        )
    if choice is not Selected.IN_SAMPLE and kind is not Kind.PINE:
        raise InvalidInput(f"Choice {choice} was named for {kind}; only a Pine script is of one choice.")
    stem = f"{study.strategy}-{study.symbol}-{study.study_id[:12]}".replace("/", "-").replace(":", "-")
    what, _, form = kind.value.rpartition("_")
    parts = [stem, what or (choice.value if kind is Kind.PINE and choice is not Selected.IN_SAMPLE else "")]
    return Document("-".join(filter(None, parts)) + f".{form}", _MIME[form], _made(warehouse, study, kind, choice))


def study_report(warehouse: Warehouse, study: StudyRow) -> StudyReport:
    """Return the report of a finished study."""
    return build_study_report(_inputs(warehouse, study))


def pine_of(study: StudyRow, choice: Selected) -> str:
    """Return the Pine script of a choice of a study.

    Costs of the simple mode are fractions of the price, which Pine knows as commission only: slippage and half the
    spread are added to it.

    Raises:
        ResearchError: no such choice, or the strategy has changed since.
        NotExportable: Pine cannot express the strategy.
    """
    execution = _pine_execution(execution_of(study.question))
    return export_pine(_strategy(study), _chosen(study, choice), execution, panel_id=study.panel_id)


def execution_of(question: Json) -> Execution:
    """Return the conventions that the question of a study states, flat or nested as `execution` and `costs`."""
    flat = dict(question)
    for inner in ("execution", "costs"):
        flat |= dict(flat.get(inner) or {})
    costs = Costs(
        fee=flat.get("fee", 0.0),
        fee_kind=FeeKind(flat.get("fee_kind", FeeKind.PERCENT)),
        slippage=flat.get("slippage", 0.0),
        spread=flat.get("spread", 0.0),
        slippage_ticks=flat.get("slippage_ticks", 0),
    )
    money = {name: flat[name] for name in ("capital", "tick", "lot", "point_value") if name in flat}
    return Execution(
        mode=Mode(flat.get("mode", Mode.SIMPLE)), sides=Sides(flat.get("sides", Sides.LONG)), costs=costs, **money
    )


def _pine_execution(execution: Execution) -> Execution:
    if execution.mode is Mode.PINE:
        return execution
    costs = Costs(fee=execution.costs.fee + execution.costs.taken)
    return Execution(mode=Mode.PINE, sides=execution.sides, costs=costs)


def _made(warehouse: Warehouse, study: StudyRow, kind: Kind, choice: Selected) -> bytes:
    makers: dict[Kind, Callable[[], bytes]] = {
        Kind.PDF: lambda: render_pdf(study_report(warehouse, study)),
        Kind.PINE: lambda: pine_of(study, choice).encode(),
        Kind.JSON: lambda: to_json_bytes(study_report(warehouse, study)),
        Kind.TRADES_CSV: lambda: _csv(read_trades(warehouse, study.study_id)),
        Kind.TRADES_PARQUET: lambda: _parquet(read_trades(warehouse, study.study_id)),
        Kind.EVALUATIONS_CSV: lambda: _csv(read_evaluations(warehouse, study.study_id)),
        Kind.EVALUATIONS_PARQUET: lambda: _parquet(read_evaluations(warehouse, study.study_id)),
    }
    return makers[kind]()


def _inputs(warehouse: Warehouse, study: StudyRow) -> StudyInputs:
    curve = read_equity(warehouse, study.study_id)
    row = {name: getattr(study, name) for name in StudyFacts.__dataclass_fields__}
    facts = StudyFacts(**row | {"best_params": study.best_params or {}, "metrics": study.metrics or {}})
    return StudyInputs(
        facts=facts,
        evidence=study.evidence or {},
        definition=_definition(study),
        curve=curve,
        trades=read_trades(warehouse, study.study_id),
        periods_per_year=periods_of(curve["ts"]).per_year,
    )


def _strategy(study: StudyRow) -> Strategy:
    """Return the strategy a study searched.

    Raises:
        ResearchError: the library no longer holds this definition.
    """
    try:
        found = get_definition(study.strategy)
    except UnknownStrategy:
        found = None
    if not isinstance(found, Strategy) or definition_hash(found) != study.definition_hash:
        raise ResearchError(
            f"Study {study.study_id} searched {study.strategy} version {study.strategy_version} "
            f"({study.definition_hash[:12]}), which the library does not hold any more. Run the study again."
        )
    return found


def _definition(study: StudyRow) -> Json:
    """Return the definition in words; of one that the library no longer holds, what the study itself knows."""
    try:
        strategy = _strategy(study)
    except ResearchError:
        gone = f"The library no longer holds this definition (version {study.strategy_version})."
        empty: Json = {"let": {}, "signals": {}, "rules": {}, "constraints": [], "refs": [], "params": []}
        return {"title": study.strategy, "doc": gone, "lattice": None, **empty}
    found, ranges = show_strategy(strategy.name), study.question.get("ranges") or {}
    bounds = {name: dict(zip(("lo", "hi", "step"), given, strict=False)) for name, given in ranges.items()}
    params = [{**asdict(item), "name": name} | bounds.get(name, {}) for name, item in strategy.params.items()]
    return {**found, "params": params, "lattice": space_of(strategy, ranges).size}


def _chosen(study: StudyRow, choice: Selected) -> Mapping[str, float]:
    """Return the parameters of a choice.

    Raises:
        ResearchError: the study has no such choice.
    """
    made = {row["kind"]: row["params"] for row in (study.evidence or {}).get("choices", [])}
    if choice is Selected.IN_SAMPLE and study.best_params is not None:
        return dict(study.best_params)
    if choice.value not in made:
        known = ", ".join(sorted({*made, Selected.IN_SAMPLE.value} - {"pareto"}))
        raise ResearchError(f"Study {study.study_id} has no choice {choice}; it has {known}.")
    return dict(made[choice.value])


def _csv(frame: pl.DataFrame) -> bytes:
    flat = frame.with_columns(
        pl.col(name).dt.strftime("%Y-%m-%dT%H:%M:%SZ") for name, kind in frame.schema.items() if kind.is_temporal()
    )
    return flat.write_csv().encode()


def _parquet(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()
