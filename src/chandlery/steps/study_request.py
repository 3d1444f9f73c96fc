"""What a study is asked: one value from the command line, a job row or the settings, checked field by field."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Self

from chandlery.backtest import Costs, Execution
from chandlery.backtest.execution import Mode
from chandlery.errors import BadParameters, ChandleryError, InvalidInput
from chandlery.market.symbols import parse_symbol
from chandlery.market.timeframes import Timeframe, parse_candle_timeframe
from chandlery.optimize import Space, all_methods
from chandlery.optimize.facts import space_of
from chandlery.optimize.objective import checked_objectives
from chandlery.settings import OptimizeSettings
from chandlery.steps.backtests import build_costs
from chandlery.strategies import Sides, Strategy, get_strategy

Range = tuple[float, float, float]
"""Lowest and highest value of a parameter, and the step between."""

DAILY = Timeframe.D1.value
_MOST_PARTS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyRequest:
    """One question. `trials` is the budget, `ranges` narrow parameters, `parts` processes share the work.

    `method` None: by policy. Costs are basis points of the price; `slippage_ticks` belongs to Pine mode.
    """

    strategy: str
    symbol: str
    timeframe: str = DAILY
    trials: int = 200
    seed: int = 7
    method: str | None = None
    objectives: tuple[str, ...] = ("bar_sharpe",)
    ranges: Mapping[str, Range] = field(default_factory=dict)
    mode: str = Mode.SIMPLE.value
    sides: str = Sides.LONG.value
    fee_bps: float = 0.0
    slippage_bps: float = 0.0
    slippage_ticks: int = 0
    parts: int = 1

    @property
    def universe(self) -> str:
        """The second half of a partition: the symbol, with `@timeframe` unless daily."""
        return self.symbol if self.timeframe == DAILY else f"{self.symbol}@{self.timeframe}"

    def as_json(self) -> dict[str, Any]:
        """Return it as the plain values of a job row."""
        return asdict(self) | {
            "objectives": list(self.objectives),
            "ranges": {name: list(bounds) for name, bounds in self.ranges.items()},
        }

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Self:
        """Return the request of a job row.

        Raises:
            InvalidInput: for a name it does not know or one it needs.
        """
        known = {item.name for item in fields(cls)}
        if unknown := sorted(set(given) - known):
            raise InvalidInput(f"A study was asked with {', '.join(unknown)}; it knows {', '.join(sorted(known))}.")
        if lacking := [name for name in ("strategy", "symbol") if name not in given]:
            raise InvalidInput(f"A study was asked without {' and '.join(lacking)}; both are needed.")
        values = dict(given)
        values["objectives"] = tuple(values.get("objectives", cls.__dataclass_fields__["objectives"].default))
        values["ranges"] = {name: tuple(bounds) for name, bounds in values.get("ranges", {}).items()}
        return cls(**values)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedRequest:
    """A request that makes sense: `space` is the strategy's within the ranges, `symbol` is in normal form."""

    request: StudyRequest
    space: Space
    symbol: str
    timeframe: Timeframe
    execution: Execution

    @property
    def strategy(self) -> Strategy:
        """The strategy of the library."""
        return self.space.strategy


def default_request(choices: OptimizeSettings, strategy: str, universe: str, **changes: object) -> StudyRequest:
    """Return the request the settings describe for a partition: strategy and universe (`AAPL`, `AAPL@1h`)."""
    symbol, _, timeframe = universe.partition("@")
    plain = StudyRequest(
        strategy=strategy,
        symbol=symbol,
        timeframe=timeframe or DAILY,
        trials=choices.trials,
        seed=choices.seed,
        fee_bps=choices.fee_bps,
        slippage_bps=choices.slippage_bps,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def check_request(request: StudyRequest) -> CheckedRequest:
    """Check a request against the strategy's definition.

    Raises:
        UnknownStrategy: naming the nearest ones.
        InvalidInput: with one line per field that is wrong.
        BadParameters: the same, if only ranges are wrong.
        EmptySpace: ranges and constraints leave no point.
    """
    library = get_strategy(request.strategy)
    faults: dict[str, str] = {}

    def tried(name: str, parse: Callable[[], Any]) -> Any:  # noqa: ANN401 - what the parser returns
        try:
            return parse()
        except (ChandleryError, ValueError) as error:
            faults[name] = str(error)
            return None

    symbol = tried("symbol", lambda: parse_symbol(request.symbol))
    timeframe = tried("timeframe", lambda: parse_candle_timeframe(request.timeframe))
    execution = tried("execution", lambda: _execution(request))
    tried("objectives", lambda: checked_objectives(request.objectives))
    faults |= _number_faults(request)
    if request.method is not None and request.method not in all_methods():
        faults["method"] = f"was {request.method!r}; methods are {', '.join(all_methods())}"
    space = _space(library, request.ranges, faults)
    if faults or space is None:
        kind = BadParameters if all(name.startswith("range ") for name in faults) else InvalidInput
        lines = "\n".join(f"  {name}: {text}" for name, text in faults.items())
        raise kind(f"A study of {request.strategy} on {request.symbol} cannot be run as asked:\n{lines}")
    return CheckedRequest(
        request=replace(request, symbol=symbol), space=space, symbol=symbol, timeframe=timeframe, execution=execution
    )


def parse_range(text: str) -> tuple[str, Range]:
    """Return the range written as `name=lo:hi:step`, `name=lo:hi` (step 1) or `name=value` (fixed).

    Raises:
        BadParameters: for a text of another form.
    """
    name, sign, bounds = (part.strip() for part in text.partition("="))
    try:
        numbers = [float(part) for part in bounds.split(":")]
    except ValueError:
        numbers = []
    if not (sign and name and 1 <= len(numbers) <= 3):
        raise BadParameters(f"A range was {text!r}; write name=lo:hi:step, for example fast=5:50:5, or name=20.")
    lo, hi = numbers[0], numbers[min(1, len(numbers) - 1)]
    return name, (lo, hi, numbers[2] if len(numbers) > 2 else 1.0)


def _execution(request: StudyRequest) -> Execution:
    mode = Mode(request.mode)
    costs: Costs = build_costs(
        mode, fee_bps=request.fee_bps, slippage_bps=request.slippage_bps, slippage_ticks=request.slippage_ticks
    )
    return Execution(mode=mode, sides=Sides(request.sides), costs=costs)


def _number_faults(request: StudyRequest) -> dict[str, str]:
    found = {}
    if request.trials < 1:
        found["trials"] = f"was {request.trials}; a study evaluates at least 1 candidate"
    if request.seed < 0:
        found["seed"] = f"was {request.seed}; it is at least 0"
    if not 1 <= request.parts <= _MOST_PARTS:
        found["parts"] = f"was {request.parts}; it is 1 to {_MOST_PARTS}"
    return found


def _space(strategy: Strategy, ranges: Mapping[str, Range], faults: dict[str, str]) -> Space | None:
    """Return the space of a strategy within ranges; None after adding a fault for each range that does not fit."""
    before = len(faults)
    for name, bounds in ranges.items():
        try:
            Space(strategy).narrowed({name: bounds})
        except ChandleryError as error:
            faults[f"range {name}"] = str(error)
    return space_of(strategy, ranges) if len(faults) == before else None
