-- Sessions of series that were asked for at other times: of the calendar from the listing (where unknown, the first
-- asked session) to the delisting or the last asked session, without a finished window. Before the listing and after
-- the delisting nothing is expected.
with spans as (

    {{ asked_spans() }}

),

instruments as (

    select * from {{ ref('stg_ops__instruments') }}

),

series as (

    select
        spans.instrument_id,
        spans.timeframe,
        spans.asked,
        instruments.calendar,
        instruments.listed_on,
        instruments.delisted_on,
        least(instruments.listed_on, lower(spans.asked)) as first_session,
        greatest(instruments.delisted_on, upper(spans.asked)) as end_session
    from spans
    inner join instruments on spans.instrument_id = instruments.instrument_id

),

placed as (

    select
        series.instrument_id,
        series.timeframe,
        sessions.session,
        sessions.session_minutes,
        case
            when sessions.session < series.listed_on then 'not_listed'
            when sessions.session >= series.delisted_on then 'delisted'
            else 'not_asked'
        end as reason
    from series
    inner join {{ ref('stg_ops__sessions') }} as sessions
        on
            series.calendar = sessions.calendar
            and series.first_session <= sessions.session
            and series.end_session > sessions.session
    where not sessions.session <@ series.asked

),

final as (

    select
        instrument_id,
        timeframe,
        session,
        case
            when reason <> 'not_asked' then 0
            when timeframe = '1m' then session_minutes
            else 1
        end as expected_count,
        reason
    from placed

)

select * from final
