"""The series a finding is about, as the repair methods look at it: what its judge sees, over the finding's sessions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from chandlery.errors import NotFound
from chandlery.market.timeframes import Timeframe
from chandlery.quality.series.view import SeriesView
from chandlery.steps.judging_keys import SeriesInputs, rules_version
from chandlery.steps.judging_plan import plan_series
from chandlery.steps.judging_views import RolledSessions, series_view
from chandlery.store.actions import read_actions
from chandlery.store.findings import StoredFinding
from chandlery.store.judging import read_ledger
from chandlery.store.universe import read_record
from chandlery.store.venue_views import calendar_sessions
from chandlery.store.warehouse import Warehouse


@dataclass(frozen=True, slots=True)
class FindingViews:
    """Builds the view of a finding, under the thresholds its judges use."""

    warehouse: Warehouse
    thresholds: Mapping[str, float]

    def of(self, finding: StoredFinding) -> SeriesView:
        """Return the view; without sisters, which no repair is made from.

        Raises:
            NotFound: the finding is about a venue, or nothing was ever asked for in its sessions.
        """
        if finding.instrument_id is None:
            raise NotFound(f"Finding {finding.finding_id} is about the venue {finding.symbol}; it has no series.")
        start, end = finding.session, finding.last_session + timedelta(days=1)
        actions = read_actions(self.warehouse, finding.instrument_id)
        with self.warehouse.read() as connection:
            instrument = read_record(connection, finding.instrument_id).instrument
            ledger = read_ledger(connection, [finding.instrument_id], start, end)
            hours = calendar_sessions(connection, instrument.calendar)
            inputs = SeriesInputs(
                instrument=instrument,
                timeframe=Timeframe(finding.timeframe),
                start=start,
                end=end,
                ledger=ledger,
                hours=hours,
                actions=actions,
                version=rules_version(self.thresholds),
            )
            plan = plan_series(inputs, rejudge=True)
            if plan is None:
                raise NotFound(
                    f"{finding.symbol} {finding.timeframe} has neither bars nor a finished window from {start} to "
                    f"{finding.last_session}, so nothing can be computed for finding {finding.finding_id}."
                )
            overrides, rolled = dict(self.thresholds), RolledSessions()
            return series_view(connection, plan, plan.islands[0], rolled=rolled, overrides=overrides)
