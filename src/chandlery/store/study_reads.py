"""What is stored about studies: rows, evaluations, choices, curves, trades."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Literal

import polars as pl
from sqlalchemy import Row, Select, select, text

from chandlery.errors import NotFound
from chandlery.store.copying import read_texts
from chandlery.store.evaluations import read_evaluation_rows
from chandlery.store.tables import instrument_tickers, selections, studies
from chandlery.store.warehouse import Warehouse

Json = Mapping[str, Any]

_TICKER = (
    select(instrument_tickers.c.ticker)
    .where(instrument_tickers.c.instrument_id == studies.c.instrument_id)
    .order_by(instrument_tickers.c.valid_from.desc())
    .limit(1)
    .correlate(studies)
    .scalar_subquery()
)
"""The present ticker of a study's instrument, or its last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyRow:
    """One study with the symbol it was asked about; best_params to verdict are None until it is finished."""

    study_id: str
    strategy: str
    strategy_version: int
    definition_hash: str
    instrument_id: int
    symbol: str
    timeframe: str
    panel_id: str
    first_ts: datetime
    last_ts: datetime
    bars: int
    question: Json
    method: str
    objective: str
    budget: int
    seed: int
    parts: int
    fence: int
    trials: int
    best_params: Json | None
    metrics: Json | None
    evidence: Json | None
    verdict: str | None
    source: str
    code_version: str
    run_id: str | None
    created_at: datetime
    finished_at: datetime | None


def find_study(warehouse: Warehouse, study: str) -> StudyRow:
    """Return a study by its id, or by the beginning of it that no other study shares.

    Raises:
        NotFound: none, or more than one.
    """
    query = _studies().where(studies.c.study_id.startswith(study.strip(), autoescape=True)).limit(2)
    with warehouse.read() as connection:
        found = [_study(row) for row in connection.execute(query)]
    exact = [row for row in found if row.study_id == study]
    if len(exact or found) != 1:
        number = "no study has" if not found else "more than one study has"
        raise NotFound(
            f"Study {study!r} was looked up and {number} an id that begins so. `chandlery study list` shows them."
        )
    return (exact or found)[0]


def list_studies(
    warehouse: Warehouse,
    *,
    strategy: str | None = None,
    symbol: str | None = None,
    state: Literal["open", "finished"] | None = None,
    limit: int = 100,
) -> tuple[StudyRow, ...]:
    """Return studies, newest first."""
    query = _studies()
    if strategy is not None:
        query = query.where(studies.c.strategy == strategy)
    if symbol is not None:
        present = _TICKER
        query = query.where(present == symbol)
    if state is not None:
        ended = studies.c.finished_at
        query = query.where(ended.is_(None) if state == "open" else ended.is_not(None))
    query = query.order_by(studies.c.created_at.desc(), studies.c.study_id).limit(limit)
    with warehouse.read() as connection:
        return tuple(_study(row) for row in connection.execute(query))


def read_evaluations(warehouse: Warehouse, study_id: str, *, names: Sequence[str] | None = None) -> pl.DataFrame:
    """Return all that was evaluated, ascending by seq.

    Columns: seq, batch, part, number, one Float64 column a parameter (`param_<name>`) in the order of `names` (None:
    by name), one an objective (`score_<i>`, null where not ranked), the kernel's metrics, state, reason.
    """
    with warehouse.read() as connection:
        return read_evaluation_rows(connection, study_id, names=names)


def read_selections(warehouse: Warehouse, study_id: str) -> tuple[Json, ...]:
    """Return the choices (kind, rank, number, params, scores, detail), by kind and rank."""
    columns = [selections.c[name] for name in ("kind", "rank", "number", "params", "scores", "detail")]
    query = select(*columns).where(selections.c.study_id == study_id).order_by(selections.c.kind, selections.c.rank)
    with warehouse.read() as connection:
        return tuple(dict(row._mapping) for row in connection.execute(query))  # noqa: SLF001 - public in SQLAlchemy


def read_equity(warehouse: Warehouse, study_id: str) -> pl.DataFrame:
    """Return ts, equity, benchmark, ascending."""
    query = "select extract(epoch from ts) * 1000000, equity, benchmark from research.equity where study_id = %s"
    schema = {"ts": pl.Float64(), "equity": pl.Float64(), "benchmark": pl.Float64()}
    with warehouse.read() as connection:
        frame = read_texts(connection, f"{query} order by ts", [study_id], schema)
    return frame.with_columns(_instant("ts"))


def read_trades(warehouse: Warehouse, study_id: str) -> pl.DataFrame:
    """Return seq, entry_ts, exit_ts, entry_price, exit_price, net_return, ascending by seq."""
    query = (
        "select seq, extract(epoch from entry_ts) * 1000000, extract(epoch from exit_ts) * 1000000, entry_price, "
        "exit_price, net_return from research.trades where study_id = %s order by seq"
    )
    names = ("entry_ts", "exit_ts", "entry_price", "exit_price", "net_return")
    schema = {"seq": pl.Int64(), **dict.fromkeys(names, pl.Float64())}
    with warehouse.read() as connection:
        frame = read_texts(connection, query, [study_id], schema)
    return frame.with_columns(_instant("entry_ts"), _instant("exit_ts"))


def count_earlier_trials(
    warehouse: Warehouse, *, strategy: str, instrument_id: int, timeframe: str, before: str
) -> int:
    """Return how many distinct candidates studies opened before study `before` tried on the same series.

    Distinct by definition and lattice number: the same point asked again under another seed, cost or a longer
    series is one attempt, and none if study `before` tries it too. So own and earlier trials add up.
    """
    query = text("""
        with own as (

            select created_at, study_id, definition_hash from research.studies where study_id = :before

        ),

        earlier as (

            select studies.study_id, studies.definition_hash
            from research.studies
            inner join own on (studies.created_at, studies.study_id) < (own.created_at, own.study_id)
            where studies.strategy = :strategy
                and studies.instrument_id = :instrument
                and studies.timeframe = :timeframe

        ),

        tried as (

            select earlier.definition_hash, evaluations.number
            from earlier
            inner join research.evaluations on earlier.study_id = evaluations.study_id
            except
            select own.definition_hash, evaluations.number
            from own
            inner join research.evaluations on own.study_id = evaluations.study_id

        )

        select count(*) from tried
    """)
    asked = {"before": before, "strategy": strategy, "instrument": instrument_id, "timeframe": timeframe}
    with warehouse.read() as connection:
        return int(connection.execute(query, asked).scalar_one())


def _studies() -> Select[Any]:
    columns = [studies.c[field.name] for field in fields(StudyRow) if field.name != "symbol"]
    return select(*columns, _TICKER.label("symbol"))


def _study(row: Row[Any]) -> StudyRow:
    facts = dict(row._mapping)  # noqa: SLF001 - public in SQLAlchemy
    return StudyRow(**facts | {"question": facts["question"].get("facts", {})})


def _instant(name: str) -> pl.Expr:
    return pl.col(name).cast(pl.Int64).cast(pl.Datetime("us", "UTC"))
