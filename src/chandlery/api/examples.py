"""One example answer of every operation; a test holds each against its schema."""

from typing import Final

Example = dict[str, object]


def _published(dataset: str, source: str, rows: int) -> Example:
    return {
        "dataset": dataset,
        "version": 3,
        "published_at": "2024-01-05T22:15:00Z",
        "run_id": "0b1d7a52-7c1e-4a53-9a57-0f6f4f6f7a11",
        "code_version": "0.1.0",
        "source": source,
        "rows": rows,
    }


_CANDLES: Final[Example] = {
    "symbol": "AAPL",
    "timeframe": "1h",
    "basis": "minutes",
    "order": "asc",
    "published": _published("candles", "simulated", 412_000),
    "sources": ["simulated"],
    "is_simulated": True,
    "count": 2,
    "next": "http://127.0.0.1:8000/v1/candles?symbol=AAPL&timeframe=1h&limit=2&cursor=mQ1t0cS2c1kCq9Y5rW7x4lsiQUFQTCJd",
    "columns": {
        "ts": ["2024-01-02T14:30:00Z", "2024-01-02T15:30:00Z"],
        "session": ["2024-01-02", "2024-01-02"],
        "open": [187.15, 185.31],
        "high": [188.44, 186.02],
        "low": [184.9, 185.01],
        "close": [185.3, 185.88],
        "volume": [17_432_100.0, 9_120_455.0],
        "vwap": [186.021, None],
        "trade_count": [152_310, None],
        "bar_count": [60, 58],
        "expected_count": [60, 60],
        "is_final": [True, True],
        "quality_score": [1.0, 0.967],
        "source": ["simulated", "simulated"],
    },
}

CANDLES_CSV: Final = (
    "ts,session,open,high,low,close,volume,vwap,trade_count,bar_count,expected_count,is_final,quality_score,source\r\n"
    "2024-01-02T14:30:00Z,2024-01-02,187.15,188.44,184.9,185.3,17432100.0,186.021,152310,60,60,true,1.0,simulated\r\n"
)

_AAPL: Final[Example] = {
    "symbol": "AAPL",
    "instrument_id": 1,
    "asset_class": "stocks",
    "calendar": "NYSE",
    "currency": "USD",
    "name": "Apple Inc.",
    "first_session": "2023-10-09",
    "last_session": "2024-01-05",
    "bars_1m": 23_790,
    "bars_1d": 61,
    "mean_score": 0.998,
    "source": "simulated",
}

_SYMBOLS: Final[Example] = {"published": _published("symbols", "simulated", 1), "items": [_AAPL], "next": None}

_SYMBOL: Final[Example] = {**_AAPL, "published": _published("symbols", "simulated", 1)}

_QUALITY: Final[Example] = {
    "published": _published("quality", "simulated", 61),
    "items": [
        {
            "symbol": "AAPL",
            "timeframe": "1m",
            "session": "2024-01-02",
            "instrument_id": 1,
            "asset_class": "stocks",
            "score": 0.995,
            "validity": 1.0,
            "completeness": 0.9949,
            "plausibility": 0.99,
            "bar_count": 388,
            "expected_count": 390,
            "held_count": 1,
            "findings": 2,
            "source": "simulated",
            "consistency": 1.0,
            "timeliness": None,
        }
    ],
    "next": None,
}

_STUDY: Final[Example] = {
    "study_id": "8d1c5a0e6f2b4c77",
    "strategy": "sma_cross",
    "strategy_version": 1,
    "symbol": "AAPL",
    "timeframe": "1d",
    "method": "tpe",
    "objective": "sharpe",
    "trials": 200,
    "seed": 7,
    "bars": 2_516,
    "first_ts": "2014-01-02T14:30:00Z",
    "last_ts": "2023-12-29T14:30:00Z",
    "best_params": {"fast": 12, "slow": 48},
    "metrics": {"sharpe": 0.61, "max_drawdown": -0.24},
    "verdict": "no edge",
    "source": "wiki",
    "definition_hash": "sha256:5c0f",
    "panel_id": "sha256:91ab",
    "code_version": "0.1.0",
    "run_id": None,
    "created_at": "2024-01-05T22:20:00Z",
}

_STUDIES: Final[Example] = {"published": _published("studies", "wiki", 1), "items": [_STUDY], "next": None}

_STUDY_ANSWER: Final[Example] = {
    **_STUDY,
    "published": _published("studies", "wiki", 1),
    "equity": {
        "ts": ["2014-01-02T14:30:00Z", "2014-01-03T14:30:00Z"],
        "equity": [1.0, 0.998],
        "benchmark": [1.0, 0.978],
    },
}

_REPORT: Final[Example] = {
    "report_id": "2f64c1a7d09b",
    "portfolio": "balanced",
    "as_of": "2024-01-05",
    "limit_state": "ok",
    "code_version": "0.1.0",
    "run_id": None,
    "created_at": "2024-01-05T22:30:00Z",
}

_REPORTS: Final[Example] = {"published": _published("risk_reports", "wiki", 1), "items": [_REPORT], "next": None}

_REPORT_ANSWER: Final[Example] = {
    **_REPORT,
    "published": _published("risk_reports", "wiki", 1),
    "payload": {"schema_version": 1, "portfolio": "balanced", "var": []},
}

_ALIVE: Final[Example] = {"status": "alive", "version": "0.1.0"}

_READY: Final[Example] = {"status": "ready", "schema_revision": "0001", "publications": {"candles": 3, "symbols": 3}}

_PROBLEM: Final[Example] = {
    "type": "/problems/key_revoked",
    "code": "key_revoked",
    "status": 401,
    "title": "The key was revoked",
    "description": "Create a new key with `chandlery keys create`.",
}

BY_OPERATION: Final[dict[str, Example]] = {
    "livez": _ALIVE,
    "readyz": _READY,
    "read_problem": _PROBLEM,
    "list_symbols": _SYMBOLS,
    "read_symbol": _SYMBOL,
    "read_candles": _CANDLES,
    "list_quality": _QUALITY,
    "list_studies": _STUDIES,
    "read_study": _STUDY_ANSWER,
    "list_risk_reports": _REPORTS,
    "read_risk_report": _REPORT_ANSWER,
}
"""Operation id -> example; put in after FastAPI made the document, because it drops every null of an example."""
