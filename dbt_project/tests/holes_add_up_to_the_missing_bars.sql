{{ config(meta={'dagster': {'ref': {'name': 'asked_sessions'}}}) }}

with holes as (

    select
        instrument_id,
        session,
        sum(missing_count) as missing_count
    from {{ ref('session_holes') }}
    where {{ in_window() }}
    group by instrument_id, session

),

asked as (

    select * from {{ ref('asked_sessions') }}
    where {{ in_window() }}

)

select
    asked.instrument_id,
    asked.timeframe,
    asked.session
from asked
left join holes
    on
        asked.instrument_id = holes.instrument_id
        and asked.session = holes.session
        and asked.timeframe = '1m'
where
    (asked.timeframe = '1m' and not asked.is_whole and asked.missing_count <> coalesce(holes.missing_count, 0))
    or (asked.is_whole and holes.missing_count is not null)
    or asked.session_minutes > asked.present_count + asked.filler_count + asked.missing_count
