"""What Optuna gets of a study: all trials in bulk, or the best of them where that is too much or not possible."""

from chandlery import clock
from chandlery.log import get_logger
from chandlery.optimize.batches import Batch
from chandlery.optimize.space import Space
from chandlery.optimize.trial_rows import add_trials_slowly, distribution_texts, make_tables, state_names
from chandlery.store.evaluations import Best, best_evaluations
from chandlery.store.optuna_tables import MISSING, TrialRows, foreign_tables, has_trials, write_trials
from chandlery.store.studies import OpenedStudy, check_fence
from chandlery.store.warehouse import Warehouse

log = get_logger(__name__)

ALL_UP_TO = 50_000
"""Budget up to which every trial goes to Optuna, whose own readers take 1 to 2 s for 5,000 of them."""

TOP = 1_000
"""Trials Optuna gets of a larger study, when it ends."""

TOP_SLOWLY = 200
"""Trials that go through Optuna's own storage, at 25 to 50 a second, where its tables are not those we know."""


class StudyTrials:
    """The Optuna side of one study."""

    def __init__(self, warehouse: Warehouse, study: OpenedStudy, space: Space) -> None:
        """Write trials of `study` to schema `optuna` of its warehouse."""
        self._warehouse = warehouse
        self._study = study
        self._space = space
        self._distributions = distribution_texts(space)
        self._attributes = {"chandlery": dict(study.question) | {"study_id": study.study_id}}
        self._are_known: bool | None = None

    def rows_of(self, batch: Batch) -> TrialRows | None:
        """Return the trials of a batch as they belong into its transaction; None if none do."""
        if self._study.budget > ALL_UP_TO or not self._tables_are_known():
            return None
        return TrialRows(
            study_name=self._study.study_name,
            attributes=self._attributes,
            distributions=self._distributions,
            internal=batch.params,
            values=batch.scores,
            states=state_names(batch.states),
            numbers=batch.numbers,
            finished_at=clock.now(),
        )

    def publish_top(self) -> None:
        """Write the best trials if not all were written; what is there already is not written again.

        Raises:
            Fenced: another run took the study over.
        """
        if not self._tables_are_known():
            self._add_slowly()
        elif self._study.budget > ALL_UP_TO:
            self._write_top()

    def _write_top(self) -> None:
        best = self._best(TOP)
        with self._warehouse.write() as connection:
            check_fence(connection, self._study.study_id, fence=self._study.fence)
            if has_trials(connection, self._study.study_name):
                return
            rows = TrialRows(
                study_name=self._study.study_name,
                attributes=self._attributes,
                distributions=self._distributions,
                internal=best.params,
                values=best.scores,
                states=best.states,
                numbers=best.numbers,
                finished_at=clock.now(),
            )
            write_trials(connection, rows)

    def _add_slowly(self) -> None:
        best = self._best(TOP_SLOWLY)
        url = self._warehouse.url("pipeline", driver="psycopg", schema="optuna")
        try:
            added = add_trials_slowly(
                url,
                self._study.study_name,
                attributes=self._attributes,
                space=self._space,
                numbers=best.numbers,
                scores=best.scores,
            )
        except RuntimeError as error:
            # Optuna refuses tables of a version it cannot read either.
            log.warning("optuna_trials_left_out", study=self._study.study_id, reason=str(error))
            return
        log.info("optuna_trials_added_slowly", study=self._study.study_id, trials=added)

    def _best(self, limit: int) -> Best:
        names = list(self._distributions)
        return best_evaluations(self._warehouse, self._study.study_id, names=names, limit=limit)

    def _tables_are_known(self) -> bool:
        if self._are_known is None:
            difference = self._difference()
            if difference == MISSING:
                make_tables(self._warehouse.url("pipeline", driver="psycopg", schema="optuna"))
                difference = self._difference()
            if difference is not None:
                log.warning(
                    "optuna_tables_unknown",
                    study=self._study.study_id,
                    found=difference,
                    consequence=f"Optuna gets the best {TOP_SLOWLY} trials at the end; research.evaluations has all.",
                )
            self._are_known = difference is None
        return self._are_known

    def _difference(self) -> str | None:
        with self._warehouse.read() as connection:
            return foreign_tables(connection)
