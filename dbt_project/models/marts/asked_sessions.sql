-- One row per (instrument_id, timeframe, session) a finished window asked for, also when no bar came: what the session
-- should have, what it has, and why the rest is not there. Scores and coverage are read off it.
--   session_minutes  bars of the calendar: regular minutes, or 1 day bar; 0 when not listed (where nobody knows the
--                    listing, before the first bar of the series)
--   expected_count   those less halted minutes, times the usual share where that is under .95 (check 17), at least 1
--   present_count    published regular bars; a filler stands for no trade
--   filler_count     regular minutes with a filler
--   held_count       instants of the date that the audit holds and no published bar stands at
--   missing_count    session_minutes without bar or filler; held_minutes of them are held
--   reason           why the missing ones are, those left when held and halted ones are set aside coming first
--   is_whole         all of the session is missing, for this one reason
-- Answers without bars are answers: their sessions were asked for.
-- noqa: disable=LT02,AM09
-- depends_on: {{ ref('stg_ops__bar_sessions') }}
-- depends_on: {{ ref('stg_ops__session_exceptions') }}
-- depends_on: {{ ref('stg_massive__quarantine') }}
{{
    config(
        unique_key=['instrument_id', 'timeframe', 'session'],
        meta={'window': 'session', 'built_from': 'asked'},
        indexes=[
            {'columns': ['instrument_id', 'timeframe', 'session'], 'unique': true},
            {'columns': ['session']},
        ],
    )
}}

with spans as (

    {{ asked_spans() }}

),

instruments as (

    select * from {{ ref('stg_ops__instruments') }}

),

asked as (

    {{ asked_partitions('spans') }}

),

held as (

    {{ held_instants() }}

),

-- Each session is a few looks at keys, whatever the planner knows of tables just filled. Minutes are read of those
-- alone that lack some.
counted as (

    select
        asked.*,
        coalesce(candles.bar_count, days.bar_count, 0) as present_count,
        coalesce(candles.source, days.source) as source,
        case when asked.is_listed then asked.calendar_minutes else 0 end as session_minutes,
        coalesce(halts.halted, 0) as halted,
        halts.spans as halt_spans,
        coalesce(halts.is_closure, false) as is_closure
    from asked
    left join lateral (
        select
            bar_count,
            source
        from {{ ref('candles_1d') }}
        where
            asked.timeframe = '1m'
            and instrument_id = asked.instrument_id
            and ts = asked.day_ts
        offset 0
    ) as candles on true
    left join lateral (
        select
            1 as bar_count,
            (
                select source from {{ ref('stg_ops__ingests') }}
                where ingest_id = bars.ingest_id
            ) as source
        from {{ ref('stg_massive__bars_1d') }} as bars
        where
            asked.timeframe = '1d'
            and bars.instrument_id = asked.instrument_id
            and bars.ts = asked.day_ts
        offset 0
    ) as days on true
    left join lateral (
        select
            sum({{ minutes_in('parts.span', 'asked.opens_at') }})::integer as halted,
            range_agg(parts.span) as spans,
            bool_or(stops.is_closure) as is_closure
        from (
            select
                range_agg(
                    tstzrange(greatest(starts_at, asked.opens_at), least(ends_at, asked.closes_at))
                ) as spans,
                bool_or(kind = 'closure') as is_closure
            {{ overlapping_exceptions('asked.instrument_id', 'asked.calendar', 'asked.opens_at', 'asked.closes_at') }}
        ) as stops
        cross join lateral unnest(stops.spans) as parts (span)
    ) as halts on true

),

-- A day bar is missing for a halt only where that took all of its session.
halted as (

    select
        *,
        case
            when timeframe = '1m' then halted
            when halted >= regular_minutes then 1
            else 0
        end as halted_count
    from counted

),

looked_into as (

    select
        halted.*,
        coalesce(minutes.rows, halted.present_count) as row_count,
        coalesce(minutes.rows_in_halts, 0) as rows_in_halts,
        habit.usual_share,
        habit.share_range,
        coalesce(held.held_count, 0) as held_count,
        coalesce(held.held_minutes, 0) as held_minutes
    from halted
    left join lateral (
        select
            count(*)::integer as rows,
            (count(*) filter (where bars.ts <@ halted.halt_spans))::integer as rows_in_halts
        from {{ ref('stg_massive__bars_1m') }} as bars
        where
            halted.timeframe = '1m'
            and halted.present_count < halted.session_minutes
            and bars.instrument_id = halted.instrument_id
            and bars.ts >= halted.opens_at
            and bars.ts < halted.closes_at
        having halted.timeframe = '1m' and halted.present_count < halted.session_minutes
        offset 0
    ) as minutes on true
    left join lateral (
        {{ habit('halted.instrument_id', 'halted.day_ts') }}
        where halted.timeframe = '1m' and halted.present_count < halted.session_minutes
        offset 0
    ) as habit on true
    left join held
        on
            halted.instrument_id = held.instrument_id
            and halted.timeframe = held.timeframe
            and halted.session = held.session

),

measured as (

    select
        *,
        greatest(row_count - present_count, 0) as filler_count,
        greatest(session_minutes - row_count, 0) as missing_count,
        case
            when session_minutes = 0 then 0
            else
                greatest(
                    1,
                    round(
                        (session_minutes - case timeframe when '1m' then halted_count else 0 end)
                        * case when usual_share < 0.95 then usual_share else 1.0 end
                    )::integer
                )
        end as expected_count
    from looked_into

),

left_over as (

    select
        *,
        missing_count - least(held_minutes, missing_count) - greatest(halted_count - rows_in_halts, 0) as rest,
        -- At least 95 % of the habit, or within 4 robust deviations of it (of a normal variable, the middle half is
        -- 1.349 of them wide), by chance alone sqrt(p (1 - p) / n).
        present_count >= (session_minutes - halted_count)
        * least(
            0.95 * usual_share,
            usual_share
            - 4 * greatest(share_range / 1.349, sqrt(usual_share * (1 - usual_share) / greatest(session_minutes, 1)))
        ) as is_usual
    from measured

),

final as (

    select
        instrument_id,
        timeframe,
        session,
        session_minutes,
        expected_count,
        present_count,
        filler_count,
        held_count,
        least(held_minutes, missing_count) as held_minutes,
        missing_count,
        case
            when not is_listed then case when session < begins_on then 'not_listed' else 'delisted' end
            when missing_count = 0 then null
            when rest <= 0 and halted_count > rows_in_halts then case when is_closure then 'closure' else 'halt' end
            when rest <= 0 then 'held'
            when final_at > {{ as_of() }} then 'not_yet'
            when row_count = 0 and not is_answered then 'empty_answer'
            when filler_count = 0 and usual_share < 0.95 and is_usual then 'no_trade'
            else 'unknown'
        end as reason,
        (
            missing_count > 0
            and row_count = 0
            and (rest = missing_count or held_minutes >= missing_count or halted_count >= missing_count)
        ) as is_whole,
        source
    from left_over

)

select * from final
