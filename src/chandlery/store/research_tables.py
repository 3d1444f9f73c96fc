"""Tables of research: the catalogue, studies with all that was evaluated and chosen, exports, risk reports."""

from sqlalchemy import BigInteger, Column, Date, DateTime, Double, ForeignKey, Index, Integer, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from chandlery.store._columns import instrument_column, metadata, ts_column

_EMPTY = text("'{}'::jsonb")


def _study(*, primary_key: bool = True) -> Column[str]:
    reference = ForeignKey("research.studies.study_id", ondelete="CASCADE")
    return Column("study_id", Text, reference, primary_key=primary_key, nullable=False)


def _metrics() -> list[Column[object]]:
    """Return one column a kernel metric; null for what could not be evaluated."""
    counts = ("closed_trades", "wins", "exposure_bars")
    names = ("equity", *counts[:2], "gross_profit", "gross_loss", "max_dd", "bar_sharpe", counts[2])
    return [Column(name, Integer if name in counts else Double) for name in names]


strategies = Table(
    "strategies",
    metadata,
    Column("strategy", Text, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("family", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("definition_hash", Text, nullable=False),
    Column("definition", JSONB, nullable=False),
    schema="research",
)

studies = Table(
    "studies",
    metadata,
    Column("study_id", Text, primary_key=True),
    Column("strategy", Text, nullable=False),
    Column("strategy_version", Integer, nullable=False),
    Column("definition_hash", Text, nullable=False),
    instrument_column(),
    Column("timeframe", Text, nullable=False),
    Column("panel_id", Text, nullable=False),
    ts_column("first_ts"),
    ts_column("last_ts"),
    Column("bars", Integer, nullable=False),
    # The question, fixed when the study opens.
    Column("question", JSONB, nullable=False, server_default=_EMPTY),
    Column("method", Text, nullable=False),
    Column("objective", Text, nullable=False),
    Column("budget", Integer, nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("parts", Integer, nullable=False, server_default=text("1")),
    # Rises with every run that takes the study over; a batch of an older run is refused.
    Column("fence", Integer, nullable=False, server_default=text("0")),
    # The answer, written at once when the study ends.
    Column("trials", Integer, nullable=False, server_default=text("0")),
    Column("best_params", JSONB),
    Column("metrics", JSONB),
    Column("evidence", JSONB),
    Column("verdict", Text),
    Column("source", Text, nullable=False),
    Column("code_version", Text, nullable=False),
    Column("run_id", Text),
    ts_column("created_at", default=True),
    ts_column("finished_at", nullable=True),
    Index(None, "strategy", "instrument_id", "created_at"),
    schema="research",
)

batches = Table(
    "batches",
    metadata,
    _study(),
    Column("batch", Integer, primary_key=True),
    Column("part", Integer, primary_key=True),
    Column("first_seq", Integer, nullable=False),
    Column("size", Integer, nullable=False),
    # Block moments: a file below the study's folder and its checksum; a file that is gone is evaluated again.
    Column("moments_file", Text),
    Column("moments_sha256", Text),
    Column("fence", Integer, nullable=False),
    ts_column("committed_at", default=True),
    schema="research",
)

evaluations = Table(
    "evaluations",
    metadata,
    _study(),
    Column("seq", Integer, primary_key=True),
    Column("batch", Integer, nullable=False),
    Column("part", Integer, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("params", JSONB, nullable=False),
    # The first objective, larger is better, null where not ranked; all objectives in their order.
    Column("score", Double),
    Column("scores", JSONB, nullable=False),
    *_metrics(),
    Column("state", Text, nullable=False),
    Column("reason", Text),
    schema="research",
)

selections = Table(
    "selections",
    metadata,
    _study(),
    Column("kind", Text, primary_key=True),
    Column("rank", Integer, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("params", JSONB, nullable=False),
    Column("scores", JSONB, nullable=False),
    Column("detail", JSONB, nullable=False, server_default=_EMPTY),
    schema="research",
)

equity = Table(
    "equity",
    metadata,
    _study(),
    Column("ts", DateTime(timezone=True), primary_key=True),
    Column("equity", Double, nullable=False),
    Column("benchmark", Double, nullable=False),
    schema="research",
)

trades = Table(
    "trades",
    metadata,
    _study(),
    Column("seq", Integer, primary_key=True),
    ts_column("entry_ts"),
    ts_column("exit_ts", nullable=True),
    Column("entry_price", Double, nullable=False),
    Column("exit_price", Double),
    Column("net_return", Double),
    schema="research",
)

exports = Table(
    "exports",
    metadata,
    # 128 random bits in hexadecimal: whoever does not know it cannot guess it.
    Column("export_id", Text, primary_key=True),
    _study(primary_key=False),
    Column("kind", Text, nullable=False),
    Column("file_name", Text, nullable=False),
    Column("mime_type", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    # Place below the export folder.
    Column("path", Text, nullable=False),
    ts_column("created_at", default=True),
    ts_column("expires_at", nullable=True),
    ts_column("removed_at", nullable=True),
    Index(None, "study_id", "kind"),
    Index(None, "expires_at"),
    schema="research",
)

risk_reports = Table(
    "risk_reports",
    metadata,
    Column("report_id", Text, primary_key=True),
    Column("portfolio", Text, nullable=False),
    Column("as_of", Date, nullable=False),
    Column("payload", JSONB, nullable=False),
    Column("html", Text, nullable=False),
    Column("limit_state", Text, nullable=False),
    Column("code_version", Text, nullable=False),
    Column("run_id", Text),
    ts_column("created_at", default=True),
    Index(None, "portfolio", "as_of"),
    schema="research",
)
