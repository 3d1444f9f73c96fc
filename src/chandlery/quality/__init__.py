"""Quality: which bars can be trusted, why not, and what that costs.

What belongs here: rules over a batch (`rules/`), a published series (`series/`) and a venue (`venue/`), verdicts, the
judges, the batch contract in Great Expectations, proposals of repairs (`repairs/`), what a score is and what took each
lost point. What does not: where bars come from, where findings are kept (`store/`), the scores of all sessions
(`dbt_project/`, because they need every window; a test holds them to `score.py`). Pure: no settings, clock, store or
network. Steps, the API's generated tables and the checks may import it.
"""
