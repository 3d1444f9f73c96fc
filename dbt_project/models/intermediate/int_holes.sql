-- Missing bars by session: holes inside one, and whole ones, with the reason that needs no judge. `place` numbers the
-- sessions of a calendar, so that neighbours are told by it.
{{ config(materialized='view_of_marts') }}

with calendar_days as (

    select
        calendar,
        session,
        day_ts,
        opens_at,
        closes_at,
        zone,
        row_number() over (partition by calendar order by session) as place
    from {{ ref('stg_ops__sessions') }}

),

instruments as (

    select * from {{ ref('stg_ops__instruments') }}

),

series as (

    select
        instrument_id,
        timeframe,
        min(session) filter (where present_count + filler_count > 0) as first_session,
        max(session) as last_session
    from {{ ref('asked_sessions') }}
    group by instrument_id, timeframe

),

missing as (

    select
        instrument_id,
        '1m' as timeframe,
        session,
        ts,
        ts_end,
        missing_count,
        reason
    from {{ ref('session_holes') }}

    union all

    select
        instrument_id,
        timeframe,
        session,
        null as ts,
        null as ts_end,
        missing_count,
        reason
    from {{ ref('asked_sessions') }}
    where
        missing_count > 0
        and (is_whole or timeframe = '1d')

    union all

    select
        instrument_id,
        timeframe,
        session,
        null as ts,
        null as ts_end,
        expected_count as missing_count,
        reason
    from {{ ref('int_unasked_sessions') }}
    where expected_count > 0

),

placed as (

    select
        missing.instrument_id,
        missing.timeframe,
        missing.session,
        calendar_days.place,
        instruments.calendar,
        case
            when missing.timeframe = '1d' then calendar_days.day_ts
            else coalesce(missing.ts, calendar_days.opens_at)
        end as ts,
        case
            when missing.timeframe = '1d' then (missing.session + 1)::timestamp at time zone calendar_days.zone
            else coalesce(missing.ts_end, calendar_days.closes_at)
        end as ts_end,
        coalesce(missing.ts = calendar_days.opens_at, true) as begins_with_session,
        coalesce(missing.ts_end = calendar_days.closes_at, true) as ends_with_session,
        missing.missing_count,
        missing.reason,
        instruments.listed_on,
        instruments.delisted_on
    from missing
    inner join instruments on missing.instrument_id = instruments.instrument_id
    inner join calendar_days
        on
            instruments.calendar = calendar_days.calendar
            and missing.session = calendar_days.session

),

-- A gap lies between bars. What the first session lacks before its first bar may be before the listing; of what the
-- last asked session lacks after its last bar nobody knows whether it goes on, until a later one was asked for.
final as (

    select
        placed.instrument_id,
        placed.timeframe,
        placed.session,
        placed.place,
        placed.ts,
        placed.ts_end,
        placed.begins_with_session,
        placed.ends_with_session,
        placed.missing_count,
        case
            when
                placed.reason not in ('unknown', 'no_trade')
                or (placed.begins_with_session and placed.ends_with_session)
                then placed.reason
            when
                placed.begins_with_session
                and placed.session = series.first_session
                and coalesce(placed.listed_on, placed.session) = placed.session
                then 'not_listed'
            when placed.ends_with_session and placed.session + 1 = placed.delisted_on then 'delisted'
            when placed.ends_with_session and placed.session = series.last_session then 'after_last'
            else placed.reason
        end as reason
    from placed
    left join series
        on
            placed.instrument_id = series.instrument_id
            and placed.timeframe = series.timeframe

)

select * from final
