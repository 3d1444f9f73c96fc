{{
    config(
        unique_key=['instrument_id', 'ts'],
        meta={'window': 'session', 'built_from': 'candles_30m'},
        indexes=[{'columns': ['instrument_id', 'ts'], 'unique': true}],
        post_hook="{{ index_sessions() }}",
    )
}}

{{ candle('4h', finer='candles_30m') }}
