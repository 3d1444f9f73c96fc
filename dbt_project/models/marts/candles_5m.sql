{{
    config(
        unique_key=['instrument_id', 'ts'],
        meta={'window': 'session', 'built_from': 'minutes'},
        indexes=[{'columns': ['instrument_id', 'ts'], 'unique': true}],
        post_hook="{{ index_sessions() }}",
    )
}}

{{ candle('5m') }}
