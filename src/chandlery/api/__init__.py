"""The read API: published candles, quality, studies and risk reports over HTTP.

What belongs here: routes, keys' checks, formats, errors as problem+json. What does not: SQL (`store/serving*.py`)
and anything heavier than encoding. Nobody imports it; the command line names it to uvicorn.
"""
