-- The gap manifest: contiguous missing bars, one row per (instrument_id, timeframe, ts). Whole sessions that follow
-- each other are one gap, and so are the end of one and the beginning of the next: `missing_count` counts expected bars
-- only, never closed hours. `[ts, ts_end)`: of minutes their opens, of day bars local midnights. Reasons as in
-- `coverage_daily`; `unknown` and `suspected_outage` are one gap and the latter's name, other reasons end a gap.
-- What lacks before the first bar of a series and after the last is no gap between bars.
-- A view, because a bar that comes splits or ends a gap that may have begun years before.
{{ config(materialized='view_of_marts') }}

with holes as (

    select
        *,
        case reason when 'suspected_outage' then 'unknown' else reason end as kind
    from {{ ref('int_judged_holes') }}
    where reason not in ('not_listed', 'delisted', 'after_last')

),

neighbours as (

    select
        *,
        lag(ts_end) over by_time as end_before,
        lag(place) over by_time as place_before,
        lag(kind) over by_time as kind_before,
        lag(ends_with_session) over by_time as before_ends_with_session
    from holes
    window by_time as (partition by instrument_id, timeframe order by ts)

),

numbered as (

    select
        *,
        count(*) filter (
            where kind_before is distinct from kind
            or not (
                ts = end_before
                or (begins_with_session and before_ends_with_session and place = place_before + 1)
            )
        ) over (partition by instrument_id, timeframe order by ts) as gap
    from neighbours

),

final as (

    select
        instrument_id,
        timeframe,
        min(ts) as ts,
        max(ts_end) as ts_end,
        min(session) as session,
        max(session) as last_session,
        count(distinct session)::integer as sessions,
        sum(missing_count)::bigint as missing_count,
        case when bool_or(reason = 'suspected_outage') then 'suspected_outage' else min(reason) end as reason,
        (array_agg(finding_id order by finding_id is null, ts))[1] as finding_id
    from numbered
    group by instrument_id, timeframe, gap

)

select * from final
