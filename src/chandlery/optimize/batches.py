"""Batches: what a search evaluates together, and the record that keeps them.

A search is a deterministic function of its plan and of the scores of the batches before: whoever replays the kept
batches proposes the next one bit by bit. So the record needs no state of the method, only batches.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class State(StrEnum):
    """What became of a candidate."""

    COMPLETE = "complete"
    PRUNED = "pruned"
    """Given up after the first folds: its figures cover those folds only."""
    FAILED = "failed"
    """Could not be evaluated; the reason is kept with it."""


STATES = tuple(State)
"""Codes of `Batch.states`: positions in this tuple."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Batch:
    """One part of one evaluated batch of a study.

    `index` counts batches from 0, `part` the parts of a batch from 0 (a study over several workers has as many
    parts a batch as workers, else one). `first_seq` is the position of its first candidate in the evaluation table,
    which is the same for any number of parts. `numbers` int64 `[n]`: lattice points, no point twice in a study.
    `params` float64 `[n, parameters]`. `scores` float64 `[n, objectives]`: larger is better, minus infinity where
    not ranked. `metrics` float64 `[n, 8]` in the order of `backtest.METRICS`, NaN for a failed candidate.
    `moments` float64 `[n, blocks, 4]`: sums of r, r^2, r^3, r^4 per block, zero for a failed candidate.
    `states` uint8 `[n]`: codes of `STATES`. `reasons`: why, by position within the batch, for what failed or was
    pruned.
    """

    index: int
    part: int
    first_seq: int
    numbers: NDArray[np.int64]
    params: NDArray[np.float64]
    scores: NDArray[np.float64]
    metrics: NDArray[np.float64]
    moments: NDArray[np.float64]
    states: NDArray[np.uint8]
    reasons: Mapping[int, str] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Number of candidates."""
        return int(self.numbers.size)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a study asks; two studies with equal questions are one study.

    `facts` are JSON values: definition hash, panel id, objectives, budget, seed, conventions of execution.
    `method` and `parts` are fixed when the study first opens (method None: not yet decided), so that a resume never
    decides again.
    """

    study_name: str
    facts: Mapping[str, Any]
    method: str | None = None
    parts: int = 1


class Record(Protocol):
    """Where a study keeps its batches. One writer per part; a second writer of a part changes nothing."""

    def open(self, question: Question) -> Question:
        """Return the question as it was first opened, opening it if it is new.

        A method that was not decided then is fixed by the first later opening that names one.

        Raises:
            ResearchError: a study of that name exists with other facts, naming which.
        """
        ...

    def batches(self) -> Sequence[Batch]:
        """Return what is kept, ascending by (index, part); moments may be empty `[n, 0, 4]` if they were lost."""
        ...

    def commit(self, batch: Batch) -> None:
        """Keep one part for good, whole or not at all; a part that is kept already stays as it is.

        Of a part whose moments were lost, the moments are kept.

        Raises:
            Fenced: another run of this study took over.
            DatabaseDown: the record cannot be reached; what was committed stays.
        """
        ...


@dataclass(slots=True)
class MemoryRecord:
    """A record for one process: nothing outlives it."""

    question: Question | None = None
    kept: dict[tuple[int, int], Batch] = field(default_factory=dict)

    def open(self, question: Question) -> Question:
        """Return the first question asked of this record, its method fixed by the first opening that names one."""
        if self.question is None or self.question.method is None:
            self.question = question if self.question is None else replace(self.question, method=question.method)
        return self.question

    def batches(self) -> Sequence[Batch]:
        """Return what is kept, ascending."""
        return [self.kept[key] for key in sorted(self.kept)]

    def commit(self, batch: Batch) -> None:
        """Keep a part unless it is there."""
        self.kept.setdefault((batch.index, batch.part), batch)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Table:
    """All evaluated candidates of a study in the order of evaluation; columns as in `Batch`.

    Moments are merged to one number of blocks for all. `seq` is the position of a row.
    """

    numbers: NDArray[np.int64]
    params: NDArray[np.float64]
    scores: NDArray[np.float64]
    metrics: NDArray[np.float64]
    moments: NDArray[np.float64]
    states: NDArray[np.uint8]
    reasons: Mapping[int, str]

    @property
    def size(self) -> int:
        """Number of candidates."""
        return int(self.numbers.size)

    @property
    def ranked(self) -> NDArray[np.int64]:
        """Positions of the candidates that completed and have a finite first score, ascending."""
        is_ranked = (self.states == STATES.index(State.COMPLETE)) & np.isfinite(self.scores[:, 0])
        return np.flatnonzero(is_ranked)
