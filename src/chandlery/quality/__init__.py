"""Quality: which bars can be trusted, why not, and what that costs.

What belongs here: rules over bars (`rules/`), their findings, the audit of a batch, the batch contract in Great
Expectations. What does not: where bars come from, where findings are kept (`store/`), the score of a session
(`dbt_project/`, because it needs every window). Pure: no settings, clock, store or network. Steps, the API's
generated tables and the checks may import it.
"""
