-- `costs`: it lowers a score. A finding about a venue has no instrument and costs nobody; `none` only informs.
with source as (

    select * from {{ source('ops', 'findings') }}

),

renamed as (

    select
        finding_id,
        instrument_id,
        calendar,
        -- A wrong candle (check 19) lowers the score of the minutes it stands for: candles have no score of their own.
        case when "check" = 19 then '1m' else timeframe end as timeframe,
        ts,
        ts_end,
        session,
        last_session,
        rule,
        "check" as check_number,
        severity,
        verdict,
        term,
        state,
        found_at,
        decided_at,
        (
            instrument_id is not null
            and verdict in ('confirmed', 'suspected')
            and state in ('open', 'confirmed')
            and term <> 'none'
            and severity <> 'info'
        ) as costs
    from source

)

select * from renamed
