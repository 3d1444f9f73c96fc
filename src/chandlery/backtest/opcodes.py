"""Operation codes of the tape; sixteen to a family, so that dispatch is two short steps."""

FAMILY = 16

FILL, HIST, HIST_SIGNAL = 0, 1, 2
ADD, SUB, MUL, DIV, ABS, FLOOR, MIN, MAX, NZ, WHERE, MOD, SIGN, SQRT, EXP, LOG, POW = range(16, 32)
GT, GE, LT, LE, EQ, NE, ISNA = range(32, 39)
AND, OR, NOT, CROSSOVER, CROSSUNDER, LATCH, RISING, FALLING, CROSS = range(48, 57)
PREFIX, WINDOW_MEAN, WINDOW_SUM, EMA, RMA, RSI, WMA, ALMA, KAMA, LINREG = range(64, 74)
HIGHEST, LOWEST, CHANGE, TR, FILLED_TR, ATR, HIGHESTBARS, LOWESTBARS, PIVOTHIGH, PIVOTLOW = range(80, 90)
VARIANCE, STDEV, DEV, PERCENTRANK, CORRELATION = range(96, 101)
CUM, CUM_SINCE, FIXNAN, VALUEWHEN, BARSSINCE, SAR, SUPERTREND, HEIKIN_ASHI_OPEN = range(112, 120)

CODES = {
    "add": ADD,
    "sub": SUB,
    "mul": MUL,
    "div": DIV,
    "abs": ABS,
    "floor": FLOOR,
    "min": MIN,
    "max": MAX,
    "nz": NZ,
    "where": WHERE,
    "mod": MOD,
    "sign": SIGN,
    "sqrt": SQRT,
    "exp": EXP,
    "log": LOG,
    "pow": POW,
    "gt": GT,
    "ge": GE,
    "lt": LT,
    "le": LE,
    "eq": EQ,
    "ne": NE,
    "isna": ISNA,
    "and": AND,
    "or": OR,
    "not": NOT,
    "crossover": CROSSOVER,
    "crossunder": CROSSUNDER,
    "latch": LATCH,
    "rising": RISING,
    "falling": FALLING,
    "cross": CROSS,
    "ema": EMA,
    "rma": RMA,
    "rsi": RSI,
    "wma": WMA,
    "alma": ALMA,
    "kama": KAMA,
    "linreg": LINREG,
    "highest": HIGHEST,
    "lowest": LOWEST,
    "change": CHANGE,
    "tr": TR,
    "filled_tr": FILLED_TR,
    "atr": ATR,
    "highestbars": HIGHESTBARS,
    "lowestbars": LOWESTBARS,
    "pivothigh": PIVOTHIGH,
    "pivotlow": PIVOTLOW,
    "variance": VARIANCE,
    "stdev": STDEV,
    "dev": DEV,
    "percentrank": PERCENTRANK,
    "correlation": CORRELATION,
    "cum": CUM,
    "cum_since": CUM_SINCE,
    "fixnan": FIXNAN,
    "valuewhen": VALUEWHEN,
    "barssince": BARSSINCE,
    "sar": SAR,
    "supertrend": SUPERTREND,
    "heikin_ashi_open": HEIKIN_ASHI_OPEN,
}
"""Computation name to code."""

FROM_PREFIX = {"sma": WINDOW_MEAN, "sum": WINDOW_SUM}
"""Operations lowered to two codes: `PREFIX`, which candidates share, and one that reads it."""
