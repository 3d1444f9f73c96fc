"""The search: replays what is kept, evaluates what is not, batch by batch, alone or with other workers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from chandlery.backtest import Execution, Panel
from chandlery.errors import InvalidInput
from chandlery.optimize.batches import Question, Record, Table
from chandlery.optimize.evaluate import Evaluator, blocks_for
from chandlery.optimize.facts import Ranges, space_of, study_facts
from chandlery.optimize.methods import Plan, Search, get_method
from chandlery.optimize.objective import OBJECTIVE
from chandlery.optimize.policy import choose_method, measured_cost
from chandlery.optimize.progress import Meter, Progress
from chandlery.optimize.pruning import PRUNES_FROM_BARS
from chandlery.optimize.space import Space
from chandlery.optimize.table import table_of
from chandlery.optimize.worker import Worker
from chandlery.strategies import Strategy

_BARS_PER_BATCH = 4_096 * 2_048
_SMALLEST_BATCH, _LARGEST_BATCH = 64, 4_096


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class SearchOutcome:
    """What a search evaluated; `is_complete` is false where it was cancelled."""

    space: Space
    question: Question
    table: Table
    is_complete: bool


def run_search(
    strategy: Strategy,
    panel: Panel,
    *,
    execution: Execution,
    budget: int,
    seed: int,
    study_name: str,
    record: Record,
    objectives: Sequence[str] = (OBJECTIVE,),
    method: str | None = None,
    ranges: Ranges | None = None,
    parts: int = 1,
    shard: tuple[int, int] | None = None,
    wait_s: float = 60.0,
    progress: Callable[[Progress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> SearchOutcome:
    """Search the parameters of `strategy` on `panel` with at most `budget` distinct candidates.

    `method` None leaves the choice to the policy; what was chosen when the study opened stays. `ranges` narrow the
    space. What `record` keeps is not evaluated again: the search is replayed over it and goes on, to the same table
    bit by bit. A study of several `parts` may be searched by several workers at once over one record: worker
    `shard = (i, of)` evaluates the parts `p % of == i` of every batch, waits for the others, and after `wait_s`
    seconds without them evaluates them itself. `progress` is called after each batch; `cancelled` is asked before
    each and while waiting, and what was evaluated stays.

    Raises:
        InvalidInput: for a budget or parts below 1, unknown objectives, method or ranges, or a shard out of range.
        EmptySpace: for a space without a point.
        ResearchError: for a study of that name that asks something else, or whose kept batches other code made.
    """
    _check_workers(parts, shard)
    names = tuple(objectives)
    facts = study_facts(
        strategy, panel, execution=execution, budget=budget, seed=seed, objectives=names, method=method, ranges=ranges
    )
    space = space_of(strategy, ranges)
    evaluator = Evaluator(space=space, panel=panel, execution=execution, objectives=names, blocks=blocks_for(budget))
    question = _opened(record, Question(study_name=study_name, facts=facts, method=method, parts=parts), evaluator)
    chosen = question.method or ""
    worker = Worker(
        evaluator=replace(evaluator, prunes=_prunes(chosen, evaluator)),
        record=record,
        question=question,
        shard=shard or (0, 1),
        wait_s=wait_s,
        cancelled=cancelled or _never,
    )
    plan = Plan(space=space, budget=budget, seed=seed, objectives=len(names), batch=_batch_size(panel.bars))
    is_complete = _drive(get_method(chosen).start(plan), worker, _meter(space, budget, progress))
    table = table_of(worker.done, parameters=space.dimensions, objectives=len(names), blocks=worker.evaluator.blocks)
    return SearchOutcome(space=space, question=question, table=table, is_complete=is_complete)


def _drive(search: Search, worker: Worker, meter: Meter) -> bool:
    """Go through the batches of a search; return whether it came to its end."""
    worker.look()
    index = first_seq = 0
    numbers = next(search, None)
    while numbers is not None:
        brought = worker.bring(numbers, index=index, first_seq=first_seq)
        if brought is None:
            search.close()
            return False
        parts, evaluated = brought
        scores = np.concatenate([part.scores for part in parts])
        meter.count(numbers, scores[:, 0], evaluated=evaluated)
        index, first_seq = index + 1, first_seq + numbers.size
        try:
            numbers = search.send(scores)
        except StopIteration:
            return True
    return True


def _opened(record: Record, question: Question, evaluator: Evaluator) -> Question:
    """Return the question as the record holds it, its method chosen if that is still open."""
    budget, seed = question.facts["budget"], question.facts["seed"]
    opened = record.open(question)
    if opened.method is not None:
        return opened

    def cost() -> float:
        return measured_cost(
            evaluator.space,
            lambda numbers: evaluator.batch(numbers, index=0, part=0, first_seq=0, earlier=()),
            seed=seed,
        )

    objectives = len(evaluator.objectives)
    chosen = choose_method(evaluator.space, budget=budget, objectives=objectives, seconds_per_evaluation=cost)
    opened = record.open(replace(opened, method=chosen))
    return opened if opened.method is not None else replace(opened, method=chosen)


def _meter(space: Space, budget: int, listener: Callable[[Progress], None] | None) -> Meter:
    points = space.feasible(limit=budget)
    return Meter(space, total=budget if points is None else points.size, listener=listener)


def _prunes(method: str, evaluator: Evaluator) -> bool:
    """Return whether candidates are given up early: dear evaluations, one Sharpe ratio as the objective."""
    return method == "tpe" and evaluator.objectives == (OBJECTIVE,) and evaluator.panel.bars >= PRUNES_FROM_BARS


def _batch_size(bars: int) -> int:
    """Return the candidates of one batch: a power of two, about a second's work, the same on every machine."""
    power = max(1, _BARS_PER_BATCH // bars).bit_length() - 1
    return int(np.clip(2**power, _SMALLEST_BATCH, _LARGEST_BATCH))


def _check_workers(parts: int, shard: tuple[int, int] | None) -> None:
    if parts < 1:
        raise InvalidInput(f"parts was {parts}; a batch has at least 1.")
    if shard is not None and not 0 <= shard[0] < shard[1]:
        raise InvalidInput(f"shard was {shard}; it is (which, of how many), counted from 0.")


def _never() -> bool:
    return False
