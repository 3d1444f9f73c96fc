"""Columns of the arrays that the order kernel works on; side 0 is long, side 1 short."""

LONG_SIDE, SHORT_SIDE = 0, 1

# Rows a strategy is decided by. Those of a side start at `side * PER_SIDE`.
GO, LEAVE, LEVEL, CANCEL, STOP, LIMIT, OFFSET, ACTIVATION, MAX_BARS = range(9)
PER_SIDE = 9
STEP, WEIGHT = 18, 19
ROOTS = 20

# Plan: terms of the account, then rules. Those of a side start at `RULES_OF_SIDE + side * RULES_PER_SIDE`.
FEE, LOSS, SLIP, CAPITAL, TICK, MIN_MOVE, PRICE_SCALE, LOTS, POINT, MULTIPLE = range(10)
CANCELS_OTHER, UNITS, STEP_BASIS, SIZING, FEE_KIND, STEP_FROZEN = range(10, 16)
RULES_OF_SIDE = 16
ORDER_KIND, STOP_BASIS, LIMIT_BASIS, OFFSET_BASIS, ACTIVATION_BASIS, COUNTS_BARS = range(6)
STOP_FROZEN, LIMIT_FROZEN, OFFSET_FROZEN, ACTIVATION_FROZEN = range(6, 10)
RULES_PER_SIDE = 10
PLAN = RULES_OF_SIDE + 2 * RULES_PER_SIDE

# Values of a rule; 0 is absent.
STOP_ORDER, LIMIT_ORDER = 1, 2
PRICE, DISTANCE, PERCENT, TICKS = 1, 2, 3, 4
DEFAULT_PERCENT, PERCENT_OF_EQUITY, CASH, FIXED = 0, 1, 2, 3
FEE_PERCENT, FEE_PER_ORDER, FEE_PER_CONTRACT = 0, 1, 2

# Lines of the book: the state, an entry order per side, units, entries as exits count them, exits of a batch.
STATE = 0
ORDERS = 1
MOST_UNITS = 40
UNIT = 3
BINDING = UNIT + MOST_UNITS
LEG = BINDING + MOST_UNITS
LINES = LEG + MOST_UNITS

# State: the account, and the exits around its position.
SIZE, MONEY, PROFIT, LOST, OPEN_FEES, CLOSED, WINS, SEQUENCE = range(8)
UNIT_COUNT, BOUND_COUNT, TRADE_COUNT = 8, 9, 10
EXIT_STOP, EXIT_LIMIT, TRAIL_PRICE, TRAIL_OFFSET, TRAIL_POINTS, IS_ARMED, BEST, EXIT_SIDE = range(11, 19)
KEPT = 19
"""Frozen values: four of the exits of the long side, four of the short, two of further units."""
CEILING, FLOOR = 29, 30
"""Prices at and beyond which something rests."""
COLUMNS = 31

# A resting entry order, and what waits for the next open.
IS_RESTING, ORDER_LEVEL, ORDER_SIZE, BUDGET, BUDGET_PRICE, FLIP, ORDER_SEQUENCE, IS_ADD, SHARE = range(9)
MARKET_SIZE, IS_MARKET, CLOSE_SIZE, CLOSE_REASON, WAS_OPEN, IS_STOP = range(9, 15)

# A unit of the position, first in first out.
QUANTITY, ENTRY_PRICE, ENTRY_BAR, ENTRY_FEE, BASIS, NODE = range(6)

# What an entry brought, the way exits count it.
NUMBER, IS_OWN, INITIAL, BOUND, HAS_EXIT, EXIT_SEQUENCE, EXIT_SIZE = range(7)

# An exit that takes part in a batch at one price.
LEG_NUMBER, LEG_SIZE, LEG_SEQUENCE, LEG_COMMITTED = range(4)

# A closed or open trade.
(
    TRADE_SIDE,
    TRADE_ENTRY_BAR,
    TRADE_ENTRY_PRICE,
    TRADE_EXIT_BAR,
    TRADE_EXIT_PRICE,
    TRADE_QUANTITY,
    TRADE_COST,
    TRADE_FEES,
    TRADE_PROFIT,
    TRADE_REASON,
) = range(10)
TRADE = 10

SIGNAL, STOPPED, LIMITED, TRAILED, TIMED, REVERSED, OPPOSED = 1, 2, 3, 4, 5, 6, 7
