-- Every session of the calendar from the listing (where unknown, the first asked session) to the delisting or the last
-- asked session, of each series that was ever asked for: expected and present bars, and why the missing ones are.
-- `expected_count` = `present_count` + `filler_count` + `missing_count`; `held_count` of the missing are in quarantine.
--   not_listed        before the listing, or where nobody knows it before the first bar: nothing is expected of whole
--                     sessions
--   delisted          from the delisting on: nothing is expected of whole sessions
--   closure, halt     the instrument or its venue did not trade (`ops.session_exceptions`)
--   not_asked         no finished window covers the session
--   not_yet           the session is not final: its bars may still come
--   empty_answer      the source answered, without any bar
--   held              the audit holds what came
--   no_trade          the instrument does not trade every minute, and this is within its habit (check 17)
--   explained         a judge found the reason; the finding names it
--   suspected_outage  several instruments miss the same minutes, or a witness saw trades
--   after_last        the end of the last asked session: nobody knows whether bars follow
--   unknown           bars came before or after, nothing says why not then
-- A view: a session nobody asked for has no row anywhere, and findings change without a bar. Asked for by instrument
-- and timeframe it reads one series. The reason of a session is that of its largest hole.
{{ config(materialized='view_of_marts') }}

with reasons as (

    select
        instrument_id,
        timeframe,
        session,
        (array_agg(reason order by missing_count desc, ts asc))[1] as reason
    from {{ ref('int_judged_holes') }}
    group by instrument_id, timeframe, session

),

sessions as (

    select
        instrument_id,
        timeframe,
        session,
        session_minutes as expected_count,
        present_count,
        filler_count,
        held_minutes as held_count,
        missing_count,
        reason
    from {{ ref('asked_sessions') }}

    union all

    select
        instrument_id,
        timeframe,
        session,
        expected_count,
        0 as present_count,
        0 as filler_count,
        0 as held_count,
        expected_count as missing_count,
        reason
    from {{ ref('int_unasked_sessions') }}

),

final as (

    select
        sessions.instrument_id,
        sessions.timeframe,
        sessions.session,
        sessions.expected_count,
        sessions.present_count,
        sessions.filler_count,
        sessions.held_count,
        sessions.missing_count,
        coalesce(reasons.reason, sessions.reason) as reason
    from sessions
    left join reasons
        on
            sessions.instrument_id = reasons.instrument_id
            and sessions.timeframe = reasons.timeframe
            and sessions.session = reasons.session

)

select * from final
