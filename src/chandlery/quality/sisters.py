"""Sister symbols: what the rest of the market did on a day, as a witness for or against one instrument's jump."""

from collections.abc import Mapping

import polars as pl

_FEWEST = 3


def sister_returns(closes: Mapping[int, pl.DataFrame], instrument_id: int) -> pl.DataFrame:
    """Return the median return of all other instruments by session: session, median_return, instruments.

    Close to close over the instrument's own sessions; sessions with fewer than three others are left out.

    Args:
        closes: session and close by instrument, ascending by session.
        instrument_id: the one that is judged, which is no witness of itself.
    """
    returns = [
        frame.select("session", change=pl.col("close") / pl.col("close").shift(1) - 1).drop_nulls()
        for other, frame in closes.items()
        if other != instrument_id
    ]
    every = pl.concat([pl.DataFrame(schema={"session": pl.Date, "change": pl.Float64}), *returns])
    return (
        every.filter(pl.col("change").is_finite())
        .group_by("session")
        .agg(median_return=pl.col("change").median(), instruments=pl.len().cast(pl.Int64))
        .filter(pl.col("instruments") >= _FEWEST)
        .sort("session")
    )
