"""Batches of a study: what was evaluated together is kept whole or not at all.

The moments file is in place before the transaction commits, so a committed batch has its file; a file that was lost
later costs an evaluation, never a result.
"""

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from chandlery.errors import NotFound
from chandlery.store.evaluations import (
    METRIC_COLUMNS,
    SCORE_COLUMN,
    append_evaluations,
    as_matrix,
    read_evaluation_rows,
)
from chandlery.store.moments_files import MomentsFile, read_moments, write_moments
from chandlery.store.optuna_tables import TrialRows, forget_trials, write_trials
from chandlery.store.studies import check_fence
from chandlery.store.tables import batches
from chandlery.store.warehouse import Warehouse, Writer


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class BatchPart:
    """One part of one batch, columns as in `optimize.Batch`; `states` are words here."""

    batch: int
    part: int
    first_seq: int
    numbers: NDArray[np.int64]
    params: NDArray[np.float64]
    scores: NDArray[np.float64]
    metrics: NDArray[np.float64]
    moments: NDArray[np.float64]
    states: NDArray[np.str_]
    reasons: Mapping[int, str] = field(default_factory=dict)


def commit_part(
    warehouse: Warehouse,
    part: BatchPart,
    *,
    study_id: str,
    fence: int,
    folder: Path,
    whole: Mapping[str, bool],
    trials: TrialRows | None = None,
) -> bool:
    """Keep a part and, if given, its Optuna trials in one transaction; return whether it was new.

    `folder`: root of the moments files. `whole`: by name and in the order of the columns of `params`, whether a
    parameter is a whole number.

    Raises:
        NotFound: no such study.
        Fenced: another run took the study over, or it is finished.
        DatabaseDown, Conflict: nothing was kept; a retry can succeed.
    """
    # The disk works while the server does: 18 MB of moments take as long as a third of the rows.
    with ThreadPoolExecutor(max_workers=1) as beside:
        writing = beside.submit(write_moments, folder, study_id, batch=part.batch, part=part.part, moments=part.moments)
        try:
            with warehouse.write() as connection:
                is_new = _insert_batch(connection, part, study_id=study_id, fence=fence)
                if is_new:
                    _append(connection, part, study_id=study_id, whole=whole)
                    if trials is not None:
                        _append_trials(connection, trials, study_id=study_id)
                    _place(connection, writing.result(), study_id, part.batch, part.part)
        finally:
            if writing.exception() is None:
                writing.result().discard()
    return is_new


def _insert_batch(connection: Writer, part: BatchPart, *, study_id: str, fence: int) -> bool:
    """Return whether the part is new; its place is taken then."""
    if check_fence(connection, study_id, fence=fence):
        return False
    row = {"study_id": study_id, "batch": part.batch, "part": part.part, "first_seq": part.first_seq}
    row |= {"size": part.numbers.size, "fence": fence}
    added = insert(batches).values(**row).on_conflict_do_nothing().returning(batches.c.batch)
    return connection.execute(added).one_or_none() is not None


def _place(connection: Writer, file: MomentsFile, study_id: str, batch: int, part: int) -> None:
    """Note a file with its batch and put it in place.

    Raises:
        NotFound: no such batch.
    """
    place = (batches.c.study_id == study_id) & (batches.c.batch == batch) & (batches.c.part == part)
    noted = update(batches).where(place).values(moments_file=file.name, moments_sha256=file.sha256)
    if connection.execute(noted).rowcount != 1:
        raise NotFound(f"Batch {batch}, part {part} of study {study_id} was looked up and not found.")
    file.place()


def _append(connection: Writer, part: BatchPart, *, study_id: str, whole: Mapping[str, bool]) -> None:
    append_evaluations(
        connection,
        study_id,
        batch=part.batch,
        part=part.part,
        first_seq=part.first_seq,
        numbers=part.numbers,
        params=part.params,
        whole=whole,
        scores=part.scores,
        metrics=part.metrics,
        states=part.states,
        reasons=part.reasons,
    )


def _append_trials(connection: Writer, trials: TrialRows, *, study_id: str) -> None:
    kept = select(func.count()).select_from(batches).where(batches.c.study_id == study_id)
    if connection.execute(kept).scalar_one() == 1:
        # The first batch: what Optuna has under this name is of a study that was deleted or emptied away.
        forget_trials(connection, trials.study_name)
    write_trials(connection, trials)


def read_parts(
    warehouse: Warehouse,
    study_id: str,
    *,
    folder: Path,
    names: Sequence[str],
    known: Collection[tuple[int, int]] = (),
) -> tuple[BatchPart, ...]:
    """Return what is kept, ascending by (batch, part); moments are `[n, 0, 4]` where the file is lost or damaged.

    `names`: the parameters in the order of the columns of `params`. `known`: parts that need not be read again. Null
    scores come back as minus infinity, null metrics as NaN.
    """
    kept = select(batches).where(batches.c.study_id == study_id).order_by(batches.c.batch, batches.c.part)
    with warehouse.read() as connection:
        found = [row for row in connection.execute(kept) if (row.batch, row.part) not in known]
        if not found:
            return ()
        rows = read_evaluation_rows(connection, study_id, names=names, first_batch=found[0].batch)
    groups = rows.partition_by(["batch", "part"], as_dict=True, maintain_order=True)
    parts = []
    for row in found:
        moments = read_moments(folder, row.moments_file, row.moments_sha256, size=row.size)
        group = groups.get((row.batch, row.part), rows.clear())
        parts.append(_part(group, row.batch, row.part, row.first_seq, moments, names=names))
    return tuple(parts)


def _part(
    rows: pl.DataFrame,
    batch: int,
    part: int,
    first_seq: int,
    moments: NDArray[np.float64],
    *,
    names: Sequence[str],
) -> BatchPart:
    scores = as_matrix(rows, [name for name in rows.columns if SCORE_COLUMN.fullmatch(name)])
    reasons = {place: reason for place, reason in enumerate(rows["reason"].to_list()) if reason is not None}
    return BatchPart(
        batch=batch,
        part=part,
        first_seq=first_seq,
        numbers=rows["number"].to_numpy(),
        params=as_matrix(rows, [f"param_{name}" for name in names]),
        scores=np.where(np.isnan(scores), -np.inf, scores),
        metrics=as_matrix(rows, METRIC_COLUMNS),
        moments=moments,
        states=rows["state"].to_numpy().astype(np.str_),
        reasons=reasons,
    )


def restore_moments(
    warehouse: Warehouse,
    study_id: str,
    *,
    fence: int,
    folder: Path,
    batch: int,
    part: int,
    moments: NDArray[np.float64],
) -> None:
    """Write a lost moments file again and note its checksum.

    Raises:
        NotFound: no such study or batch.
        Fenced: another run took the study over.
    """
    file = write_moments(folder, study_id, batch=batch, part=part, moments=moments)
    try:
        with warehouse.write() as connection:
            check_fence(connection, study_id, fence=fence)
            _place(connection, file, study_id, batch, part)
    finally:
        file.discard()
