"""Market status: open or not at this moment, and the coming closures, from the exchange calendar."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from chandlery.market.calendar import sessions

_NEW_YORK = ZoneInfo("America/New_York")
_EXCHANGES = ("NYSE", "NASDAQ")
_AHEAD_DAYS = 365
_PRE_OPEN, _POST_CLOSE, _EARLY_POST_CLOSE = time(4), time(20), time(17)
_FX_TURN = time(17)
_FRIDAY, _SATURDAY, _SUNDAY = 4, 5, 6

# Month -> how the vendor calls its closures; every exchange holiday lies in another month.
_NAMES = {
    2: "Washington's Birthday",
    3: "Good Friday",
    4: "Good Friday",
    5: "Memorial Day",
    6: "Juneteenth",
    7: "Independence Day",
    9: "Labor Day",
    11: "Thanksgiving",
    12: "Christmas",
}
_NEW_YEAR, _KING = "New Years Day", "Martin Luther King, Jr. Day"

Row = dict[str, object]


def upcoming(moment: datetime) -> list[Row]:
    """Return the closures and early closes after today in New York, one year ahead, one row per exchange."""
    today = moment.astimezone(_NEW_YORK).date()
    return [dict(row) for row in _upcoming(today)]


@lru_cache(maxsize=8)
def _upcoming(today: date) -> tuple[Row, ...]:
    start, end = today + timedelta(days=1), today + timedelta(days=1 + _AHEAD_DAYS)
    table = {row["session"]: row for row in sessions("NYSE", start, end).iter_rows(named=True)}
    rows: list[Row] = []
    for day in (start + timedelta(days=number) for number in range(_AHEAD_DAYS)):
        session = table.get(day)
        if session is None and day.weekday() < _SATURDAY:
            told: Row = {"status": "closed"}
        elif session is not None and session["is_early"]:
            told = {"status": "early-close", "open": _utc(session["open"]), "close": _utc(session["close"])}
        else:
            continue
        rows += [{"exchange": name, "name": _name_of(day), "date": day.isoformat(), **told} for name in _EXCHANGES]
    return tuple(rows)


def market_now(moment: datetime) -> Row:
    """Return the state of the exchanges and of currency trading at an instant."""
    local = moment.astimezone(_NEW_YORK)
    is_open, is_early, is_late = _hours(moment, local)
    state = "open" if is_open else "extended-hours" if is_early or is_late else "closed"
    return {
        "market": state,
        "earlyHours": is_early,
        "afterHours": is_late,
        "serverTime": local.isoformat(timespec="seconds"),
        "exchanges": {"nyse": state, "nasdaq": state, "otc": state},
        "currencies": {"fx": "open" if _is_fx_open(local) else "closed", "crypto": "open"},
    }


def _hours(moment: datetime, local: datetime) -> tuple[bool, bool, bool]:
    day = local.date()
    table = sessions("NYSE", day, day + timedelta(days=1))
    if not table.height:
        return False, False, False
    row = table.row(0, named=True)
    is_open = row["open"] <= moment < row["close"]
    post_close = _EARLY_POST_CLOSE if row["is_early"] else _POST_CLOSE
    is_early = moment < row["open"] and local.time() >= _PRE_OPEN
    return is_open, is_early, moment >= row["close"] and local.time() < post_close


def _is_fx_open(local: datetime) -> bool:
    day, is_past_turn = local.weekday(), local.time() >= _FX_TURN
    return not (day == _SATURDAY or (day == _FRIDAY and is_past_turn) or (day == _SUNDAY and not is_past_turn))


def _name_of(day: date) -> str:
    if day.month == 1:
        return _KING if 15 <= day.day <= 21 else _NEW_YEAR
    if (day.month, day.day) == (12, 31):
        return _NEW_YEAR
    return _NAMES.get(day.month, "Special Closing")


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
