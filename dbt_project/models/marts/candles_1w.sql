{{
    config(
        meta={'window': 'week'},
        indexes=[
            {'columns': ['instrument_id', 'ts'], 'unique': true},
            {'columns': ['session', 'instrument_id']},
        ],
    )
}}

{{ candle('1w') }}
