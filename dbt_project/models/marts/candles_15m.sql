{{
    config(
        meta={'window': 'session'},
        indexes=[
            {'columns': ['instrument_id', 'ts'], 'unique': true},
            {'columns': ['session', 'instrument_id']},
        ],
    )
}}

{{ candle('15m') }}
