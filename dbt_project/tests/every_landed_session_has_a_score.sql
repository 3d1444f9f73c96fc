{{ config(meta={'dagster': {'ref': {'name': 'quality_scores_daily'}}}) }}

select
    landed.instrument_id,
    landed.timeframe,
    sessions.session
from {{ ref('stg_ops__ingest_windows') }} as landed
inner join {{ ref('stg_ops__instruments') }} as instruments
    on landed.instrument_id = instruments.instrument_id
inner join {{ ref('stg_ops__sessions') }} as sessions
    on
        instruments.calendar = sessions.calendar
        and sessions.session >= landed.start_session
        and sessions.session < landed.end_session
left join {{ ref('quality_scores_daily') }} as scores
    on
        landed.instrument_id = scores.instrument_id
        and landed.timeframe = scores.timeframe
        and sessions.session = scores.session
where
    landed.status in ('published', 'empty_suspected', 'empty', 'quarantined')
    and {{ in_window('sessions.session') }}
    and scores.session is null
