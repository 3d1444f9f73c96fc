"""Studies as they open, change hands and end; one transaction each.

The row of a study is its question until it ends, then question and answer. Its fence rises whenever a run takes the
study over: what an older run still wants to write is refused, so two runs never mix their batches.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import polars as pl
from sqlalchemy import Row, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from chandlery.errors import Fenced, NotFound, ResearchError, StudyRunning
from chandlery.store.copying import copy_texts
from chandlery.store.optuna_tables import foreign_tables, forget_trials
from chandlery.store.tables import batches, studies
from chandlery.store.tables import selections as chosen
from chandlery.store.warehouse import Warehouse, Writer

Json = Mapping[str, Any]

UNDECIDED = "undecided"
"""Method of a study that has not decided yet."""

_TS = pl.Datetime("us", "UTC")
_CURVE: dict[str, pl.DataType] = {"ts": _TS, "equity": pl.Float64(), "benchmark": pl.Float64()}
_TRADES: dict[str, pl.DataType] = {
    "seq": pl.Int64(),
    "entry_ts": _TS,
    "exit_ts": _TS,
    "entry_price": pl.Float64(),
    "exit_price": pl.Float64(),
    "net_return": pl.Float64(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyOpening:
    """What is known when a study opens; `question` are the facts of `optimize.Question`, JSON values.

    `method` None: not yet decided, `set_method` does it later. Opening a study again compares `question` only.
    """

    study_id: str
    study_name: str
    strategy: str
    strategy_version: int
    definition_hash: str
    instrument_id: int
    timeframe: str
    panel_id: str
    first_ts: datetime
    last_ts: datetime
    bars: int
    question: Json
    method: str | None
    objective: str
    budget: int
    seed: int
    parts: int = 1
    source: str
    code_version: str
    run_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedStudy:
    """A study in the hands of a run: all it writes carries `fence`. `finished_at` is set if there is nothing to do."""

    study_id: str
    study_name: str
    fence: int
    question: Json
    method: str | None
    parts: int
    budget: int
    finished_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyAnswer:
    """What a study found: the columns that are null until it ends. JSON without NaN or infinity."""

    trials: int
    best_params: Json
    metrics: Json
    evidence: Json
    verdict: str


def open_study(warehouse: Warehouse, opening: StudyOpening, *, take_over: bool = True) -> OpenedStudy:
    """Open a study, or take over one that exists: its fence rises and run_id becomes this run's.

    A finished study is returned as it is, without raising its fence. Without `take_over`, an unfinished study that
    another run opened is left to it; the same run_id may open it again.

    Raises:
        ResearchError: a study of this id exists and asks something else; the message names the differing facts.
        StudyRunning: it is in the hands of another run and `take_over` is false.
    """
    facts = {field.name: getattr(opening, field.name) for field in fields(opening)}
    facts["question"] = {"study_name": facts.pop("study_name"), "facts": dict(opening.question)}
    facts["method"] = opening.method or UNDECIDED
    with warehouse.write() as connection:
        connection.execute(insert(studies).values(**facts).on_conflict_do_nothing(index_elements=["study_id"]))
        found = _locked(connection, opening.study_id)
        check_facts(opening.study_id, asked=opening.question, known=found.question["facts"])
        # A row of fence 0 is the one just made.
        if found.finished_at is None:
            if found.fence and not take_over and found.run_id != opening.run_id:
                raise StudyRunning(
                    f"Study {opening.study_id} was to be opened, but run {found.run_id} has it. Wait for that run, "
                    "cancel it, or take the study over."
                )
            connection.execute(
                update(studies)
                .where(studies.c.study_id == opening.study_id)
                .values(fence=found.fence + 1, run_id=opening.run_id)
            )
            found = _locked(connection, opening.study_id)
    return _opened(found)


def join_study(warehouse: Warehouse, study_id: str, *, run_id: str | None) -> OpenedStudy:
    """Return a study as it is open, under the fence of whoever opened it: for the workers of its other parts.

    Raises:
        NotFound: no such study.
        Fenced: it is in the hands of another run than `run_id`.
    """
    with warehouse.read() as connection:
        found = connection.execute(select(studies).where(studies.c.study_id == study_id)).one_or_none()
    if found is None:
        raise _unknown(study_id)
    if found.run_id != run_id:
        raise Fenced(f"Run {run_id} was to join study {study_id}, but run {found.run_id} has it.")
    return _opened(found)


def set_method(warehouse: Warehouse, study_id: str, *, fence: int, method: str) -> str:
    """Fix the method of a study unless it is fixed, and return the one that holds.

    Raises:
        NotFound: no such study.
        Fenced: another run took the study over.
    """
    undecided = (studies.c.study_id == study_id) & (studies.c.method == UNDECIDED)
    with warehouse.write() as connection:
        check_fence(connection, study_id, fence=fence)
        connection.execute(update(studies).where(undecided).values(method=method))
        fixed: str = connection.execute(select(studies.c.method).where(studies.c.study_id == study_id)).scalar_one()
    return fixed


def finish_study(
    warehouse: Warehouse,
    study_id: str,
    *,
    fence: int,
    answer: StudyAnswer,
    selections: Iterable[Json],
    curve: Iterable[Json],
    traded: Iterable[Json],
) -> bool:
    """Store the answer of a study with all that belongs to it and mark it finished, all or nothing.

    `selections`: kind, rank, number, params, scores, detail. `curve`: ts, equity, benchmark. `traded`: seq, entry_ts,
    exit_ts, entry_price, exit_price, net_return. A study that is finished already stays as it is. Returns whether it
    was finished by this.

    Raises:
        NotFound: no such study.
        Fenced: another run took the study over.
    """
    with warehouse.write() as connection:
        if check_fence(connection, study_id, fence=fence):
            return False
        for choice in selections:
            connection.execute(chosen.insert().values(**choice, study_id=study_id))
        for table, rows, schema in (("equity", curve, _CURVE), ("trades", traded, _TRADES)):
            frame = pl.DataFrame(list(rows), schema=schema, orient="row").with_columns(study_id=pl.lit(study_id))
            copy_texts(connection, f"research.{table}", frame)
        # The instant of the transaction, the clock that created_at came from.
        ended = {**{field.name: getattr(answer, field.name) for field in fields(answer)}, "finished_at": func.now()}
        connection.execute(update(studies).where(studies.c.study_id == study_id).values(**ended))
    return True


def delete_study(warehouse: Warehouse, study_id: str) -> tuple[str, ...]:
    """Remove a study with its batches, evaluations, choices and Optuna trials; return its moments files.

    Trials in tables of a version we do not know stay.

    Raises:
        NotFound: no such study.
    """
    with warehouse.write() as connection:
        named = select(batches.c.moments_file).where(
            batches.c.study_id == study_id, batches.c.moments_file.is_not(None)
        )
        files: Sequence[str | None] = connection.execute(named.order_by(batches.c.moments_file)).scalars().all()
        removed = delete(studies).where(studies.c.study_id == study_id).returning(studies.c.question)
        question: Json | None = connection.execute(removed).scalar_one_or_none()
        if question is None:
            raise _unknown(study_id)
        if "study_name" in question and foreign_tables(connection) is None:
            forget_trials(connection, question["study_name"])
    return tuple(name for name in files if name is not None)


def check_fence(connection: Writer, study_id: str, *, fence: int) -> bool:
    """Lock a study until the transaction ends and return whether it is finished.

    Raises:
        NotFound: no such study.
        Fenced: another run took the study over.
    """
    held = select(studies.c.fence, studies.c.finished_at, studies.c.run_id).where(studies.c.study_id == study_id)
    found = connection.execute(held.with_for_update()).one_or_none()
    if found is None:
        raise _unknown(study_id)
    if found.fence != fence:
        raise Fenced(
            f"A run wrote to study {study_id} under fence {fence}, but run {found.run_id} took the study over (fence "
            f"{found.fence}). This run must stop; the study goes on in the other."
        )
    return found.finished_at is not None


def check_facts(study_id: str, *, asked: Json, known: Json) -> None:
    """Do nothing if the facts asked are those a study was opened with.

    Raises:
        ResearchError: they differ; the message names which.
    """
    # What was stored went through JSON: tuples became lists.
    plain = json.loads(json.dumps(dict(asked)))
    differing = sorted(key for key in plain.keys() | known.keys() if plain.get(key) != known.get(key))
    if differing:
        raise ResearchError(
            f"Study {study_id} exists and was opened with another {', '.join(differing)}. Choose another study name, "
            "or delete the study."
        )


def _locked(connection: Writer, study_id: str) -> Row[Any]:
    return connection.execute(select(studies).where(studies.c.study_id == study_id).with_for_update()).one()


def _opened(found: Row[Any]) -> OpenedStudy:
    return OpenedStudy(
        study_id=found.study_id,
        study_name=found.question["study_name"],
        fence=found.fence,
        question=found.question["facts"],
        method=None if found.method == UNDECIDED else found.method,
        parts=found.parts,
        budget=found.budget,
        finished_at=found.finished_at,
    )


def _unknown(study_id: str) -> NotFound:
    return NotFound(f"Study {study_id} was looked up and not found. `chandlery study list` names those there are.")
