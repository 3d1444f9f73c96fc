"""Series of the bar: prices, volume and the parts of its open in the exchange's time zone."""

from chandlery.strategies.expressions import Expression, Series
from chandlery.strategies.operations.build import op

open_ = Series("open")
high = Series("high")
low = Series("low")
close = Series("close")
volume = Series("volume")
hl2 = Series("hl2")
hlc3 = Series("hlc3")
ohlc4 = Series("ohlc4")

year = Series("year")
month = Series("month")
dayofmonth = Series("dayofmonth")
dayofweek = Series("dayofweek")
hour = Series("hour")
minute = Series("minute")
minute_of_day = hour * 60 + minute

new_day: Expression = op("ne", dayofmonth, dayofmonth[1]) | op("ne", month, month[1])
"""Whether the bar opens on another calendar day than the bar before; false on the first bar."""

new_month: Expression = op("ne", month, month[1])
"""Whether the bar opens in another month than the bar before; false on the first bar."""
