"""Operation codes of the tape; sixteen to a family, so that dispatch is two short steps."""

FAMILY = 16

FILL, HIST, HIST_SIGNAL = 0, 1, 2
ADD, SUB, MUL, DIV, ABS, FLOOR, MIN, MAX, NZ, WHERE = range(16, 26)
GT, GE, LT, LE, EQ, NE = range(32, 38)
AND, OR, NOT, CROSSOVER, CROSSUNDER = range(48, 53)
PREFIX, WINDOW_MEAN, EMA, RMA, RSI = range(64, 69)
HIGHEST, LOWEST, CHANGE, TR, FILLED_TR, ATR = range(80, 86)

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
    "gt": GT,
    "ge": GE,
    "lt": LT,
    "le": LE,
    "eq": EQ,
    "ne": NE,
    "and": AND,
    "or": OR,
    "not": NOT,
    "crossover": CROSSOVER,
    "crossunder": CROSSUNDER,
    "ema": EMA,
    "rma": RMA,
    "rsi": RSI,
    "highest": HIGHEST,
    "lowest": LOWEST,
    "change": CHANGE,
    "tr": TR,
    "filled_tr": FILLED_TR,
    "atr": ATR,
}
"""Operation name to code; `sma` alone is lowered to two codes, `PREFIX` and `WINDOW_MEAN`."""
