"""What the tables are made of: the metadata they share and the columns they have in common."""

from sqlalchemy import BigInteger, Column, DateTime, Double, ForeignKey, Integer, MetaData, text

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

NOW = text("now()")


def ts_column(name: str, *, nullable: bool = False, default: bool = False) -> Column[object]:
    """Return an instant; `default`: that of the insert."""
    return Column(name, DateTime(timezone=True), nullable=nullable, server_default=NOW if default else None)


def instrument_column(*, primary_key: bool = False) -> Column[int]:
    """Return the reference to an instrument."""
    return Column(
        "instrument_id",
        Integer,
        ForeignKey("ops.instruments.instrument_id"),
        primary_key=primary_key,
        nullable=False,
        autoincrement=False,
    )


def value_columns(*, nullable: bool = False) -> list[Column[object]]:
    """Return the values of a bar."""
    prices = [Column(name, Double, nullable=nullable) for name in ("open", "high", "low", "close", "volume")]
    return [*prices, Column("vwap", Double), Column("trade_count", BigInteger)]
