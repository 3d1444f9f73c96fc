"""The plan guard: counts calls, refuses what a plan does not cover, and knows what is published by now."""

from collections import deque
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from chandlery.market.calendar import sessions
from chandlery.market.timeframes import Timeframe
from chandlery.sources.sessions import local_midnight, zone_of
from chandlery.sources.standin.answers import RefusedError
from chandlery.sources.standin.plans import Plan, Refusal

_WINDOW = timedelta(seconds=60)
_MINUTE_MS = 60_000
_LOOK_BACK_DAYS = 14
_TOO_MANY = "You've exceeded the maximum requests per minute, please wait or upgrade your subscription to continue."
_TIMEFRAME = "Your plan doesn't include this data timeframe. Please upgrade your plan."
_NOT_ENTITLED = "You are not entitled to this data. Please upgrade your plan."


class PlanGuard:
    """Enforces one plan, or none; all times come from one clock."""

    def __init__(self, plan: Plan | None, now: Callable[[], datetime]) -> None:
        self._plan = plan
        self._now = now
        self._calls: deque[datetime] = deque()
        self._closed: dict[tuple[str, date], tuple[tuple[date, datetime], ...]] = {}

    @property
    def status(self) -> str:
        """Status of a good answer: OK, or DELAYED on a plan with a delay."""
        return "DELAYED" if self._plan is not None and self._plan.delay else "OK"

    def count_call(self) -> None:
        """Count one call of the REST API.

        Raises:
            RefusedError: 429 if it is one more than the plan allows in 60 seconds. A call exactly 60 seconds after
                another is not within its window. Refused calls count: whoever hammers stays out.
        """
        if self._plan is None or self._plan.calls_per_minute is None:
            return
        now = self._now()
        while self._calls and self._calls[0] <= now - _WINDOW:
            self._calls.popleft()
        self._calls.append(now)
        if len(self._calls) > self._plan.calls_per_minute:
            raise RefusedError(429, "ERROR", error=_TOO_MANY)

    def check_span(self, symbol: str, first: date, last: date) -> None:
        """Refuse days the plan does not cover: before its history, in the future, or not closed yet.

        Raises:
            RefusedError: in the plan's shape.
        """
        if self._plan is None:
            return
        today = self._now().astimezone(ZoneInfo(zone_of(symbol))).date()
        is_too_old = self._plan.history is not None and first < today - self._plan.history
        is_open = self._plan.end_of_day_only and last == today and self._last_closed(symbol, self._now()) < today
        if is_too_old or last > today or (is_open and self._is_session(symbol, today)):
            raise self._refused(_TIMEFRAME)

    def check_csv(self) -> None:
        """Refuse CSV where the plan has none.

        Raises:
            RefusedError: in the plan's shape.
        """
        if self._plan is not None and not self._plan.has_csv:
            raise self._refused(_NOT_ENTITLED)

    def has_flat_files(self) -> bool:
        """Return whether the plan opens the flat files."""
        return self._plan is None or self._plan.has_flat_files

    def is_file_published(self, session: date) -> bool:
        """Return whether a session's flat files are out: from 11:00 New York of the next day on."""
        if self._plan is None:
            return True
        zone = ZoneInfo("America/New_York")
        following = session + timedelta(days=1)
        return self._now() >= datetime(following.year, following.month, following.day, 11, tzinfo=zone)

    def visible_end(self, symbol: str, timeframe: Timeframe) -> int | None:
        """Return the first `t` (ms) that is not published yet; None: everything is.

        A minute is out when it is over, a day bar when its session is closed, both after the plan's delay.
        """
        if self._plan is None:
            return None
        moment = self._now() - self._plan.delay
        if timeframe is Timeframe.D1 or self._plan.end_of_day_only:
            days_end = local_midnight(self._last_closed(symbol, moment) + timedelta(days=1), symbol)
            if timeframe is Timeframe.D1:
                return days_end
            return min(days_end, _last_minute_end(moment))
        return _last_minute_end(moment)

    def _last_closed(self, symbol: str, moment: datetime) -> date:
        closed = [session for session, close in self._recent(symbol, moment) if close <= moment]
        return max(closed, default=date.min)

    def _is_session(self, symbol: str, day: date) -> bool:
        return any(session == day for session, _ in self._recent(symbol, self._now()))

    def _recent(self, symbol: str, moment: datetime) -> tuple[tuple[date, datetime], ...]:
        calendar = "24/7" if zone_of(symbol) == "UTC" else "NYSE"
        today = moment.astimezone(UTC).date()
        key = (calendar, today)
        if key not in self._closed:
            table = sessions(calendar, today - timedelta(days=_LOOK_BACK_DAYS), today + timedelta(days=1))
            self._closed[key] = tuple(table.select("session", "close").rows())
        return self._closed[key]

    def _refused(self, words: str) -> RefusedError:
        refusal = Refusal.MESSAGE if self._plan is None else self._plan.refusal
        if refusal is Refusal.ERROR:
            return RefusedError(403, "ERROR", error=words)
        return RefusedError(403 if refusal is Refusal.MESSAGE else 200, "NOT_AUTHORIZED", message=words)


def _last_minute_end(moment: datetime) -> int:
    return round(moment.timestamp() * 1000) // _MINUTE_MS * _MINUTE_MS
