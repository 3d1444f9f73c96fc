"""The minutes of one instrument in a warehouse: answers of its source, repairs, and what is stored of them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

import polars as pl

from chandlery.market.bars import BAR_SCHEMA
from chandlery.market.symbols import Instrument
from chandlery.market.timeframes import Timeframe
from chandlery.quality.findings import FINDING_SCHEMA
from chandlery.quality.repairs.proposal import Method, Proposal
from chandlery.store.bars import Judged, Published, publish
from chandlery.store.findings import events_of, find_finding
from chandlery.store.history import Series, bars_as_of
from chandlery.store.ingest_windows import begin_window
from chandlery.store.repair_decisions import approve, revert
from chandlery.store.repairs import (
    Noted,
    StoredRepair,
    find_repair,
    note_proposal,
)
from chandlery.store.warehouse import Warehouse

Ask = Callable[..., list[tuple[Any, ...]]]

FIRST = datetime(2024, 1, 2, 14, 30, tzinfo=UTC)
START, END = date(2024, 1, 2), date(2024, 1, 3)
RULE = "price_is_no_unit_error"
NAN = float("nan")


def minute(place: int) -> datetime:
    return FIRST + timedelta(minutes=place)


def bars(closes: Mapping[int, float], **values: float | None) -> pl.DataFrame:
    """Return a bar for each minute after `FIRST` that has a close."""
    rows = [
        {
            "ts": minute(place),
            "open": close,
            "high": close + 1,
            "low": close - 1,
            "close": close,
            "volume": 100.0,
            "vwap": close + 0.1,
            "trade_count": 7,
            **values,
        }
        for place, close in closes.items()
    ]
    return pl.DataFrame(rows, schema=BAR_SCHEMA)


@dataclass
class RepairedSeries:
    """The minutes of one instrument of its own, with one answer of its source after the other."""

    warehouse: Warehouse
    query: Ask
    instrument: Instrument
    payloads: Iterator[int] = field(default_factory=count)

    @property
    def number(self) -> int:
        return self.instrument.instrument_id

    def answer(
        self,
        closes: Mapping[int, float],
        *,
        held: Mapping[int, float] | None = None,
        found: Mapping[int, str] | None = None,
        severity: str = "critical",
        unpublished: tuple[str, ...] = (),
        **values: float | None,
    ) -> Published:
        """Publish an answer: bars that passed, bars the audit held, and findings by minute."""
        passed = bars(closes, **values)
        withheld = bars(held or {}).with_row_index("seq").with_columns(rules=pl.lit(["values_are_finite"]))
        findings = [
            (place, minute(place), None, START, START, rule, 12, severity, "confirmed", "plausibility", "{}")
            for place, rule in (found or dict.fromkeys(held or {}, "values_are_finite")).items()
        ]
        batch = Judged(
            passed=passed,
            held=withheld,
            found=pl.DataFrame(findings, schema=FINDING_SCHEMA, orient="row"),
            blocked=False,
            source="vendor",
            request_ids=("r1",),
            payload_sha256=str(next(self.payloads)),
            rows_seen=passed.height + withheld.height,
            rows_dropped=0,
            pages=1,
            expects_bars=True,
            unpublished=unpublished,
        )
        window = begin_window(
            self.warehouse, instrument=self.instrument, timeframe=Timeframe.M1, start=START, end=END, run_id="run-1"
        )
        return publish(self.warehouse, window, batch)

    def rows(self, columns: str, table: str = "raw.massive__bars_1m", order: str = "ts") -> list[tuple[Any, ...]]:
        return self.query(
            self.warehouse, f"select {columns} from {table} where instrument_id = %s order by {order}", self.number
        )

    def closes(self) -> dict[int, float]:
        return {int((ts - FIRST).total_seconds() // 60): close for ts, close in self.rows("ts, close")}

    def reasons(self) -> list[str]:
        return [reason for (reason,) in self.rows("reason")]

    def quarantine(self) -> list[tuple[Any, ...]]:
        return self.rows("window_id, seq, ts, close::text, volume, rules, held_at", "raw.massive__quarantine", "seq")

    @property
    def finding_id(self) -> int:
        ((number,),) = self.rows("max(finding_id)", "ops.findings", "1")
        return int(number)

    def state(self) -> str:
        with self.warehouse.read() as connection:
            return find_finding(connection, self.finding_id).state

    def events(self) -> list[str]:
        with self.warehouse.read() as connection:
            return [event.event for event in events_of(connection, self.finding_id)]

    def propose(
        self,
        after: pl.DataFrame,
        *,
        before: pl.DataFrame | None = None,
        method: Method = Method.ARITHMETIC,
        finding_id: int | None = None,
    ) -> Noted:
        with self.warehouse.write() as connection:
            finding = find_finding(connection, finding_id or self.finding_id)
            return note_proposal(
                connection,
                finding,
                Proposal(
                    method,
                    is_exact=True,
                    before=self.known(after) if before is None else before,
                    after=after,
                    evidence={"ratio": 100},
                ),
                actor="ladder",
            )

    def known(self, like: pl.DataFrame) -> pl.DataFrame:
        return self.as_of(None).filter(pl.col("ts").is_in(like["ts"].implode()))

    def approve(self, note: str | None = None) -> str:
        with self.warehouse.write() as connection:
            return approve(connection, self.finding_id, actor="ann", note=note).state

    def repair(self, closes: Mapping[int, float], **values: float | None) -> int:
        """Propose and approve."""
        number = self.propose(bars(closes, **values)).repair_id
        assert number is not None
        assert self.approve() == "repaired"
        return number

    def revert(self, repair_id: int) -> StoredRepair:
        with self.warehouse.write() as connection:
            return revert(connection, repair_id, actor="ann", note="was right")

    def read(self, repair_id: int) -> StoredRepair:
        with self.warehouse.read() as connection:
            return find_repair(connection, repair_id)

    @property
    def series(self) -> Series:
        return Series(self.number, Timeframe.M1, FIRST, FIRST + timedelta(days=1))

    def as_of(self, instant: datetime | None) -> pl.DataFrame:
        return bars_as_of(self.warehouse, self.series, instant)


BAD = {0: 10.0, 1: 1100.0, 2: 12.0}
"""The bar of minute 1 came in cents."""
