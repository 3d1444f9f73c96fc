"""The gate's ledger in the warehouse: one row a host, locked by whoever decides, and the log of all requests."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from sqlalchemy import func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from chandlery.store.tables import provider_gates, requests
from chandlery.store.warehouse import Reader, Warehouse, Writer

_HELD_AT_MOST_S = 10.0
_PATIENCE_S = 30.0


_LIMITS = text(
    "select set_config('lock_timeout', :patience, true), set_config('idle_in_transaction_session_timeout', :held, true)"
)


class LoggedRequest(Protocol):
    """What the log keeps of a request (see `sources.gate.Sent`)."""

    @property
    def path(self) -> str: ...  # noqa: D102 - see the class
    @property
    def attempt(self) -> int: ...  # noqa: D102
    @property
    def sent_at(self) -> datetime: ...  # noqa: D102
    @property
    def outcome(self) -> str: ...  # noqa: D102
    @property
    def status(self) -> int | None: ...  # noqa: D102
    @property
    def size(self) -> int: ...  # noqa: D102
    @property
    def ms(self) -> int: ...  # noqa: D102
    @property
    def request_id(self) -> str | None: ...  # noqa: D102


@dataclass(slots=True)
class GateSheet:
    """A row of `ops.provider_gates` at `now`, the database's own clock (see `sources.ledger.Sheet`)."""

    now: datetime
    sends: list[datetime]
    failures: int = 0
    opened_at: datetime | None = None
    probe_at: datetime | None = None


class GateLedger:
    """A ledger all processes of a warehouse share (contract: `sources.ledger.Ledger`)."""

    def __init__(self, warehouse: Warehouse, host: str, *, held_at_most_s: float = _HELD_AT_MOST_S) -> None:
        """Take a warehouse.

        Args:
            warehouse: where the row lies.
            host: whose gate it is.
            held_at_most_s: a process that is suspended while it holds the row loses it after this; what it wanted to
                write is rolled back, and it finds out when it goes on.
        """
        self._warehouse = warehouse
        self._host = host
        self._limits = {"held": f"{held_at_most_s * 1000.0:.0f}", "patience": f"{_PATIENCE_S * 1000.0:.0f}"}

    @contextmanager
    def hold(self, sent: LoggedRequest | None = None) -> Iterator[GateSheet]:
        """Hold the host's row in one short transaction (see `Ledger.hold`).

        Raises:
            Conflict: others held it for 30 s.
            DatabaseDown: no connection, or it was lost.
        """
        with self._warehouse.write() as connection:
            connection.execute(_LIMITS, self._limits)
            sheet = self._locked(connection)
            before = replace(sheet)
            yield sheet
            if sheet != before:
                self._write(connection, sheet)
            if sent is not None:
                self._log(connection, sent)

    def read(self) -> GateSheet:
        """Return the host's row as it stands."""
        with self._warehouse.read() as connection:
            return _sheet(connection, self._host, lock=False) or GateSheet(_now(connection), [])

    def _locked(self, connection: Writer) -> GateSheet:
        sheet = _sheet(connection, self._host, lock=True)
        if sheet is None:
            connection.execute(upsert(provider_gates).values(host=self._host).on_conflict_do_nothing())
            sheet = _sheet(connection, self._host, lock=True)
        return sheet or GateSheet(_now(connection), [])

    def _write(self, connection: Writer, sheet: GateSheet) -> None:
        values = {
            "sends": sheet.sends,
            "failures": sheet.failures,
            "opened_at": sheet.opened_at,
            "probe_at": sheet.probe_at,
        }
        connection.execute(update(provider_gates).where(provider_gates.c.host == self._host).values(values))

    def _log(self, connection: Writer, sent: LoggedRequest) -> None:
        connection.execute(
            insert(requests).values(
                request_id=sent.request_id,
                host=self._host,
                path=sent.path,
                attempt=sent.attempt,
                status=sent.status,
                outcome=sent.outcome,
                bytes=sent.size,
                ms=sent.ms,
                sent_at=sent.sent_at,
            )
        )


def _sheet(connection: Reader | Writer, host: str, *, lock: bool) -> GateSheet | None:
    columns = provider_gates.c
    query = select(columns.sends, columns.failures, columns.opened_at, columns.probe_at).where(columns.host == host)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        return None
    # Asked for only now: within the query the clock would be read before the lock was waited for.
    return GateSheet(_now(connection), list(row[0]), row[1], row[2], row[3])


def _now(connection: Reader | Writer) -> datetime:
    now: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
    return now
