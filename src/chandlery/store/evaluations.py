"""The wide table of evaluations: one row a candidate, written and read by whole batches."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sqlalchemy import select

from chandlery.store.copying import copy_texts, read_texts
from chandlery.store.tables import evaluations
from chandlery.store.warehouse import Reader, Warehouse, Writer

METRIC_COLUMNS = (
    "equity",
    "closed_trades",
    "wins",
    "gross_profit",
    "gross_loss",
    "max_dd",
    "bar_sharpe",
    "exposure_bars",
)
"""Columns of the kernel's metrics, in its order."""

SCORE_COLUMN = re.compile(r"score_\d+")
"""Columns of the objectives; a parameter's begin with `param_`."""

_COUNTS = {"closed_trades", "wins", "exposure_bars"}
_PLACE = {"seq": pl.Int64(), "batch": pl.Int64(), "part": pl.Int64(), "number": pl.Int64()}


def append_evaluations(
    connection: Writer,
    study_id: str,
    *,
    batch: int,
    part: int,
    first_seq: int,
    numbers: NDArray[np.int64],
    params: NDArray[np.float64],
    whole: Mapping[str, bool],
    scores: NDArray[np.float64],
    metrics: NDArray[np.float64],
    states: NDArray[np.str_],
    reasons: Mapping[int, str],
) -> int:
    """Append candidates inside the connection's transaction and return their number.

    `whole`: by parameter, in the order of the columns of `params`, whether its values are whole numbers. What is not
    finite in scores and metrics becomes null.
    """
    frame = pl.DataFrame(
        {
            "seq": np.arange(first_seq, first_seq + numbers.size),
            "number": numbers,
            "params": _objects(params, whole),
            "score": _finite(scores[:, 0]),
            "scores": _lists(scores),
            **{name: _metric(name, metrics[:, place]) for place, name in enumerate(METRIC_COLUMNS)},
            "state": states.tolist(),
            "reason": pl.Series([reasons.get(place) for place in range(numbers.size)], dtype=pl.String),
        }
    )
    constants = [
        pl.lit(value).alias(name) for name, value in (("study_id", study_id), ("batch", batch), ("part", part))
    ]
    return copy_texts(connection, "research.evaluations", frame.with_columns(constants))


@dataclass(frozen=True, slots=True, eq=False)
class Best:
    """The best candidates of a study, in descending order of the first score."""

    numbers: NDArray[np.int64]
    params: NDArray[np.float64]
    scores: NDArray[np.float64]

    @property
    def states(self) -> NDArray[np.str_]:
        """Their states as Optuna names them: only what completed is ranked."""
        return np.full(self.numbers.size, "COMPLETE")


def best_evaluations(warehouse: Warehouse, study_id: str, *, names: Sequence[str], limit: int) -> Best:
    """Return the best completed candidates; ties by the order of evaluation."""
    ranked = "and state = 'complete' and score is not null order by score desc, seq limit %s"
    with warehouse.read() as connection:
        rows = _read(connection, study_id, ranked, [limit], names=names)
    return Best(rows["number"].to_numpy(), as_matrix(rows, _params(names)), as_matrix(rows, _scores(rows)))


def read_evaluation_rows(
    connection: Reader | Writer, study_id: str, *, names: Sequence[str] | None = None, first_batch: int = 0
) -> pl.DataFrame:
    """Return the candidates of a study, ascending by seq; what is null in the table is null here.

    Columns: seq, batch, part, number, `param_<name>` in the order of `names` (None: sorted), `score_<i>` an
    objective, the metrics, state, reason.
    """
    return _read(connection, study_id, "and batch >= %s order by seq", [first_batch], names=names)


def as_matrix(rows: pl.DataFrame, names: Sequence[str]) -> NDArray[np.float64]:
    """Return columns as float64 `[rows, columns]`, null as NaN."""
    columns = [rows[name].cast(pl.Float64).fill_null(float("nan")).to_numpy() for name in names]
    return np.stack(columns, axis=1) if columns else np.empty((rows.height, 0))


def _read(
    connection: Reader | Writer,
    study_id: str,
    tail: str,
    parameters: Sequence[int],
    *,
    names: Sequence[str] | None,
) -> pl.DataFrame:
    known, objectives = _shape(connection, study_id)
    chosen = sorted(known) if names is None else names
    schema: dict[str, pl.DataType] = {
        **_PLACE,
        **{name: pl.Float64() for name in _params(chosen)},
        **{f"score_{place}": pl.Float64() for place in range(objectives)},
        **{name: pl.Int64() if name in _COUNTS else pl.Float64() for name in METRIC_COLUMNS},
        "state": pl.String(),
        "reason": pl.String(),
    }
    params = ["(params ->> %s)::double precision"] * len(chosen)
    scores = [f"(scores ->> {place})::double precision" for place in range(objectives)]
    columns = ", ".join([*_PLACE, *params, *scores, *METRIC_COLUMNS, "state", "reason"])
    query = f"select {columns} from research.evaluations where study_id = %s {tail}"  # noqa: S608 - names of this file
    return read_texts(connection, query, [*chosen, study_id, *parameters], schema)


def _shape(connection: Reader | Writer, study_id: str) -> tuple[list[str], int]:
    """Return the parameters and the number of objectives of a study."""
    query = select(evaluations.c.params, evaluations.c.scores).where(evaluations.c.study_id == study_id).limit(1)
    sample = connection.execute(query).one_or_none()
    return ([], 1) if sample is None else (list(sample.params), len(sample.scores))


def _params(names: Sequence[str]) -> list[str]:
    return [f"param_{name}" for name in names]


def _scores(rows: pl.DataFrame) -> list[str]:
    return [name for name in rows.columns if SCORE_COLUMN.fullmatch(name)]


def _objects(params: NDArray[np.float64], whole: Mapping[str, bool]) -> pl.Series:
    """Return one JSON object a row."""
    if not whole:
        return pl.Series(["{}"] * len(params), dtype=pl.String)
    columns = {name: params[:, place] for place, name in enumerate(whole)}
    frame = pl.DataFrame({name: v.astype(np.int64) if whole[name] else v for name, v in columns.items()})
    return frame.select(pl.struct(pl.all()).struct.json_encode()).to_series()


def _lists(scores: NDArray[np.float64]) -> pl.Series:
    """Return one JSON list a row."""
    frame = pl.DataFrame({str(place): _finite(column) for place, column in enumerate(scores.T)})
    texts = [pl.col(name).cast(pl.String).fill_null("null") for name in frame.columns]
    return frame.select(pl.concat_str([pl.lit("["), pl.concat_str(texts, separator=","), pl.lit("]")])).to_series()


def _metric(name: str, column: NDArray[np.float64]) -> pl.Series:
    values = _finite(column)
    return values.cast(pl.Int64) if name in _COUNTS else values


def _finite(column: NDArray[np.float64]) -> pl.Series:
    return pl.Series(np.where(np.isfinite(column), column, np.nan)).fill_nan(None)
