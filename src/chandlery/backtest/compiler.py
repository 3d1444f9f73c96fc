"""Compiler: from the expressions of a strategy to a tape.

Equal subexpressions are computed once. What depends on no parameter moves to the prelude, which runs once per
panel instead of once per candidate. Rows are reused as soon as their last reader has run.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from chandlery.backtest import opcodes
from chandlery.backtest.broker_plan import root_expressions, rule_numbers
from chandlery.backtest.program import CODE, IN, OUT, SLOT, WIDTH, Program
from chandlery.errors import ResearchError
from chandlery.indicators import SLOTTED, Role, get_op
from chandlery.strategies import Const, Expression, Hist, Kind, Op, Param, Series, Sides, Strategy, decide, kind_of
from chandlery.strategies.definition import nodes

_Key = tuple[int, tuple[int, ...], tuple[int, ...]]
"""Code, inputs and slots: what makes two steps the same."""

_SCALAR_KINDS = {Kind.NUMBER, Kind.INTEGER, Kind.FLAG}


@dataclass(frozen=True, slots=True)
class _Step:
    """One operation before rows are assigned: inputs and outputs are value numbers."""

    code: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    slots: tuple[int, ...]
    is_free: bool


@dataclass(slots=True)
class _Lowering:
    """Numbering of the values of one strategy; a value is a source row or an output of a step."""

    strategy: Strategy
    steps: list[_Step] = field(default_factory=list)
    sources: dict[str, int] = field(default_factory=dict)
    scalars: dict[Expression, int] = field(default_factory=dict)
    length_slots: set[int] = field(default_factory=set)
    known: dict[_Key, tuple[int, ...]] = field(default_factory=dict)
    free: set[int] = field(default_factory=set)
    lowered: dict[Expression, int] = field(default_factory=dict)
    count: int = 0

    def lower(self, expression: Expression) -> int:
        """Return the value number of a series expression, or of a number spread over the bars."""
        if expression not in self.lowered:
            self.lowered[expression] = self._lower(expression)
        return self.lowered[expression]

    def _lower(self, expression: Expression) -> int:
        if kind_of(expression, self.strategy.params) in _SCALAR_KINDS:
            return self._emit(opcodes.FILL, (), (expression,))[0]
        match expression:
            case Series():
                return self.source(expression.name)
            case Hist():
                return self._lower_history(expression)
            case Op():
                return self._lower_op(expression)
            case _:
                raise ResearchError(f"A {type(expression).__name__} cannot be compiled.")

    def source(self, name: str) -> int:
        """Return the value number of a price series."""
        if name not in self.sources:
            self.sources[name] = self._number(is_free=True)
        return self.sources[name]

    def _lower_history(self, node: Hist) -> int:
        is_signal = kind_of(node.operand, self.strategy.params) is Kind.SIGNAL
        code = opcodes.HIST_SIGNAL if is_signal else opcodes.HIST
        offset = node.bars if isinstance(node.bars, Param) else Const(node.bars)
        return self._emit(code, (self.lower(node.operand),), (offset,))[0]

    def _lower_op(self, node: Op) -> int:
        spec = get_op(node.name)
        inputs, scalars = [], []
        for role, operand in zip(spec.operands, node.operands, strict=True):
            if role in SLOTTED:
                scalars.append(operand)
            else:
                inputs.append(self.lower(operand))
            if role is Role.LENGTH:
                self.length_slots.add(self._slot(operand))
        if node.name in opcodes.FROM_PREFIX:
            sums = self._emit(opcodes.PREFIX, tuple(inputs), (), outputs=3)
            return self._emit(opcodes.FROM_PREFIX[node.name], sums, tuple(scalars))[0]
        code = opcodes.CODES[spec.computation]
        return self._emit(code, tuple(inputs), tuple(scalars), outputs=spec.outputs)[spec.output]

    def _emit(
        self, code: int, inputs: tuple[int, ...], scalars: tuple[Expression, ...], *, outputs: int = 1
    ) -> tuple[int, ...]:
        slots = tuple(self._slot(scalar) for scalar in scalars)
        key = (code, inputs, slots)
        if key not in self.known:
            is_free = all(value in self.free for value in inputs) and not any(map(_uses_parameter, scalars))
            numbers = tuple(self._number(is_free=is_free) for _ in range(outputs))
            self.steps.append(_Step(code, inputs, numbers, slots, is_free))
            self.known[key] = numbers
        return self.known[key]

    def _slot(self, scalar: Expression) -> int:
        return self.scalars.setdefault(scalar, len(self.scalars))

    def _number(self, *, is_free: bool) -> int:
        self.count += 1
        if is_free:
            self.free.add(self.count)
        return self.count


def compile_strategy(strategy: Strategy, sides: Sides | None = None) -> Program:
    """Return the program of `strategy`.

    Without `sides` its roots are entry and closing of the long side, for a plain strategy; with them everything
    that is decided on these sides, for the order simulator.

    Raises:
        ResearchError: for an expression that cannot be compiled.
    """
    if sides is None:
        closing = strategy.closing or Const(0.0)
        return _compile(strategy, [strategy.long_entry, closing], np.zeros(0))
    decisions = decide(strategy, sides)
    return _compile(strategy, root_expressions(strategy, decisions), rule_numbers(strategy, decisions))


def _compile(strategy: Strategy, wanted: list[Expression], rules: NDArray[np.float64]) -> Program:
    lowering = _Lowering(strategy)
    for needed in ("open", "close"):
        lowering.source(needed)
    roots = [lowering.lower(expression) for expression in wanted]
    rows = {value: row for row, value in enumerate(lowering.sources.values())}
    prelude, derived = _assign_free(lowering, rows)
    tape, live = _assign_live(lowering, rows, first=len(lowering.sources) + derived, roots=set(roots))
    return Program(
        strategy=strategy,
        sources=tuple(lowering.sources),
        scalars=tuple(lowering.scalars),
        length_slots=tuple(sorted(lowering.length_slots)),
        prelude=prelude,
        tape=tape,
        derived_rows=derived,
        live_rows=live,
        roots=np.array([rows[root] for root in roots], dtype=np.int64),
        rules=rules,
    )


def _assign_free(lowering: _Lowering, rows: dict[int, int]) -> tuple[NDArray[np.int64], int]:
    first, used, lines = len(lowering.sources), 0, []
    for step in lowering.steps:
        if step.is_free:
            for value in step.outputs:
                rows[value] = first + used
                used += 1
            lines.append(_line(step, rows, first=first))
    return _as_tape(lines), used


def _assign_live(
    lowering: _Lowering, rows: dict[int, int], *, first: int, roots: set[int]
) -> tuple[NDArray[np.int64], int]:
    steps = [step for step in lowering.steps if not step.is_free]
    last_use = {value: index for index, step in enumerate(steps) for value in (*step.outputs, *step.inputs)}
    idle: list[int] = []
    used, lines = 0, []
    for index, step in enumerate(steps):
        # Outputs get their rows before inputs give theirs back: a window reads behind what it has written.
        for value in step.outputs:
            if idle:
                rows[value] = idle.pop()
            else:
                rows[value] = first + used
                used += 1
        lines.append(_line(step, rows, first=first))
        ended = {value for value in (*step.inputs, *step.outputs) if last_use[value] == index}
        idle.extend(sorted(rows[value] for value in ended - lowering.free - roots))
    return _as_tape(lines), used


def _line(step: _Step, rows: dict[int, int], *, first: int) -> list[int]:
    line = [0] * WIDTH
    line[CODE] = step.code
    for offset, slot in enumerate(step.slots):
        line[SLOT + offset] = slot
    for offset, value in enumerate(step.outputs):
        line[OUT + offset] = rows[value] - first
    for offset, value in enumerate(step.inputs):
        line[IN + offset] = rows[value]
    return line


def _as_tape(lines: list[list[int]]) -> NDArray[np.int64]:
    return np.array(lines, dtype=np.int64).reshape(len(lines), WIDTH)


def _uses_parameter(scalar: Expression) -> bool:
    return any(isinstance(node, Param) for node in nodes(scalar))
