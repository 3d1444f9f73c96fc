"""Program: a strategy compiled to a tape of operations on rows."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chandlery.errors import ResearchError
from chandlery.strategies import Expression, Strategy
from chandlery.strategies.scalars import columns_of, evaluate

CODE, OUT, IN, SLOT, WIDTH = 0, 1, 4, 7, 10
"""Columns of a tape: code, three output rows, three input rows, three number slots."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Program:
    """What the virtual machine runs.

    Rows are numbered through three tables: `sources` (price series; open and close come first), then
    `derived_rows` rows that no parameter touches, filled once per panel by `prelude`, then `live_rows` rows that
    each thread owns and reuses, written by `tape` once per candidate. Output columns of a tape count within
    their own table, input columns through all three. `roots` are the rows of entry and exit, or
    those of `kernels.fields` with the `rules` that go with them. `scalars` are the number expressions, one column
    each of the values matrix.
    """

    strategy: Strategy
    sources: tuple[str, ...]
    scalars: tuple[Expression, ...]
    length_slots: tuple[int, ...]
    prelude: NDArray[np.int64]
    tape: NDArray[np.int64]
    derived_rows: int
    live_rows: int
    roots: NDArray[np.int64]
    rules: NDArray[np.float64]

    def values(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the numbers `[candidates, scalars]` for a candidate matrix `[candidates, parameters]`.

        Raises:
            ResearchError: if a length computed from parameters falls below 1.
        """
        columns = columns_of(self.strategy.param_names, rows)
        values = np.empty((rows.shape[0], max(1, len(self.scalars))))
        for index, scalar in enumerate(self.scalars):
            values[:, index] = evaluate(scalar, columns)
        for index in self.length_slots:
            if not (values[:, index] >= 1.0).all():
                raise ResearchError(
                    f"A length of {self.strategy.name} came to {values[:, index].min()}; it is at least 1 bar. "
                    "Narrow the parameters or add a constraint."
                )
        return values
