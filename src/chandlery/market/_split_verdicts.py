"""Which recorded splits happened, and when.

The provider's known defects: the same split on two dates a week apart (216 rows, SHOP 2022-06-22
and 06-29), ex-dates a session early or late, ratios that are none, splits nobody traded on. Only recorded splits are
looked at: a crash without a record is never called a split here.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from chandlery.market._jumps import DayPrices, Look, Sight
from chandlery.market.actions import Action, ActionKind, RecordedSplit, Status

_TOGETHER = timedelta(days=10)
_LARGEST = 5000
"""Old shares per new or new per old; the largest real ones are reverse splits of some 1:4000."""


@dataclass(frozen=True, slots=True)
class _Sighted:
    record: RecordedSplit
    times: int
    own: Look
    jump: Look | None
    """Where the prices jump by the ratio: at the recorded session, else unambiguously one session beside it."""

    @property
    def ratio(self) -> Fraction:
        return Fraction(self.record.split_to, self.record.split_from)

    @property
    def is_moved(self) -> bool:
        return self.jump is not None and self.jump is not self.own


def judge_splits(records: Iterable[RecordedSplit], prices: DayPrices) -> list[Action]:
    """Return one action per distinct (day, ratio), ascending by ex-date."""
    found: list[Action] = []
    sighted: list[_Sighted] = []
    for record, times in _distinct(records):
        refusal = _refusal(record)
        if refusal:
            found.append(_action(record, Status.REJECTED, {"reason": refusal}))
        else:
            sighted.append(_sight(record, times, prices))
    for group in _together(sighted):
        found += _judge(group, prices)
    return sorted(found, key=lambda action: (action.ex_date, action.status, action.split_to, action.split_from))


def _distinct(records: Iterable[RecordedSplit]) -> Iterator[tuple[RecordedSplit, int]]:
    """Yield each (day, ratio) once, with how often it is recorded: 2:1 and 4:2 are one."""
    seen: dict[tuple[date, int, int] | tuple[date, Fraction], list[RecordedSplit]] = {}
    for record in sorted(records, key=lambda item: (item.day, item.split_from, item.split_to, item.source)):
        valid = record.split_from > 0 and record.split_to > 0
        ratio = Fraction(record.split_to, record.split_from) if valid else None
        key = (record.day, record.split_from, record.split_to) if ratio is None else (record.day, ratio)
        seen.setdefault(key, []).append(record)
    for same in seen.values():
        yield same[0], len(same)


def _refusal(record: RecordedSplit) -> str | None:
    if record.split_from <= 0 or record.split_to <= 0:
        return "ratio_is_not_positive"
    if record.split_from == record.split_to:
        return "ratio_is_one"
    ratio = Fraction(record.split_to, record.split_from)
    return "ratio_is_absurd" if not Fraction(1, _LARGEST) <= ratio <= _LARGEST else None


def _sight(record: RecordedSplit, times: int, prices: DayPrices) -> _Sighted:
    place = prices.place_of(record.day)
    if place is None:
        return _Sighted(record, times, Look(sight=Sight.UNKNOWN), None)
    ratio = Fraction(record.split_to, record.split_from)
    own = prices.look(place, ratio)
    if own.sight is Sight.SEEN:
        return _Sighted(record, times, own, own)
    beside = [
        look
        for neighbour in (place - 1, place + 1)
        if own.sight is Sight.ABSENT and 0 < neighbour < len(prices.sessions)
        if (look := prices.look(neighbour, ratio)).sight is Sight.SEEN
    ]
    return _Sighted(record, times, own, beside[0] if len(beside) == 1 else None)


def _together(sighted: list[_Sighted]) -> Iterator[list[_Sighted]]:
    """Yield records that lie within 10 days of the one before them."""
    group: list[_Sighted] = []
    for item in sorted(sighted, key=lambda item: item.record.day):
        if group and item.record.day - group[-1].record.day > _TOGETHER:
            yield group
            group = []
        group.append(item)
    if group:
        yield group


def _judge(group: list[_Sighted], prices: DayPrices) -> list[Action]:
    """One jump proves one split: the record of that very session before one beside it, then the better fit."""
    best: dict[date, _Sighted] = {}
    for item in sorted(group, key=lambda item: (item.is_moved, item.jump.distance if item.jump else 0.0)):
        if item.jump is not None and item.jump.session is not None:
            best.setdefault(item.jump.session, item)
    return [_verdict(item, group, best, prices) for item in group]


def _verdict(item: _Sighted, group: list[_Sighted], best: dict[date, _Sighted], prices: DayPrices) -> Action:
    facts: dict[str, str | int | float] = {"recorded_times": item.times} if item.times > 1 else {}
    winners = {id(winner) for winner in best.values()}
    if item.jump is not None and id(item) in winners:
        return _proven(item, facts)
    twin = next((other for other in best.values() if other.ratio == item.ratio), None)
    if twin is not None and twin.jump is not None:
        facts |= {"reason": "duplicate", "duplicate_of": str(twin.jump.session)}
        return _action(item.record, Status.REJECTED, facts)
    if item.jump is not None:
        facts |= {"reason": "contradicted_by_another_ratio", "session": str(item.jump.session)}
        return _action(item.record, Status.REJECTED, facts)
    others = sorted({str(other.record.day) for other in group if other is not item})
    if others:
        facts |= {"reason": "collides_without_a_jump", "collides_with": ", ".join(others)}
        return _action(item.record, Status.SUSPECTED, facts | _moves(item.own))
    if item.own.sight is Sight.UNKNOWN:
        reason = "not_yet_due" if prices.is_ahead(item.record.day) else "on_record_alone"
        if item.own.session is not None:
            reason = "too_small_for_these_prices"
        return _action(item.record, Status.ACCEPTED, facts | {"reason": reason} | _moves(item.own))
    reason = "prices_do_not_jump" if item.own.sight is Sight.ABSENT else "prices_move_otherwise"
    return _action(item.record, Status.SUSPECTED, facts | {"reason": reason} | _moves(item.own))


def _proven(item: _Sighted, facts: dict[str, str | int | float]) -> Action:
    if item.jump is None or item.jump.session is None or not item.is_moved:
        return _action(item.record, Status.ACCEPTED, facts | {"reason": "prices_jump"} | _moves(item.own))
    facts |= {"reason": "prices_jump_on_another_session", "recorded": str(item.record.day)}
    return _action(item.record, Status.ACCEPTED, facts | _moves(item.jump), ex_date=item.jump.session)


def _moves(look: Look) -> dict[str, str | int | float]:
    if look.session is None:
        return {}
    return {"session": str(look.session), "moved": round(look.moved, 6), "tolerance": round(look.tolerance, 6)}


def _action(
    record: RecordedSplit, status: Status, facts: dict[str, str | int | float], *, ex_date: date | None = None
) -> Action:
    expected = {} if record.split_to <= 0 else {"expected": round(record.split_from / record.split_to, 6)}
    return Action(
        kind=ActionKind.SPLIT,
        ex_date=ex_date or record.day,
        status=status,
        evidence={**facts, **expected},
        source=record.source,
        split_from=record.split_from,
        split_to=record.split_to,
    )
