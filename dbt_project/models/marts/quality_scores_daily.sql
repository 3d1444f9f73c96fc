-- One row per (instrument_id, timeframe, session) inside a landed window, also when no bar came. Terms, each in [0, 1]:
--   validity     .30  share of the judged bars (accepted or held) without an open critical finding
--   completeness .25  distinct bars / expected, at most 1; fillers are no bars
--   plausibility .15  mean over accepted bars without a critical finding of .5 ^ majors * .85 ^ minors
-- score = exp(sum w ln max(term, .01)) with the weights of the terms that exist scaled to 1, so one fatal fault is not
-- averaged away; at most .2 while a critical finding is open, .5 for a major. Null where nothing was expected.
-- Consistency (.20) and timeliness (.10) are not measured yet: their weights are among those scaled away.
-- An answer without bars counts as landed, suspected or confirmed: its sessions are incomplete.
{{
    config(
        unique_key=['instrument_id', 'timeframe', 'session'],
        meta={'window': 'session'},
        indexes=[
            {'columns': ['instrument_id', 'timeframe', 'session'], 'unique': true},
            {'columns': ['session']},
        ],
        pre_hook="set local enable_nestloop = off",
    )
}}
-- Every join is by a whole key, so by hash: on tables just filled, the planner expected one row of 8,562 and compared
-- each with each, 51 s instead of 0.1.

with instruments as (

    select * from {{ ref('stg_ops__instruments') }}

),

sessions as (

    select * from {{ ref('stg_ops__sessions') }}
    where {{ in_window() }}

),

landed as (

    select distinct
        instrument_id,
        timeframe,
        start_session,
        end_session
    from {{ ref('stg_ops__ingest_windows') }}
    where
        status in ('published', 'empty_suspected', 'empty', 'quarantined')
        and timeframe in ('1m', '1d')

),

partitions as (

    select distinct
        instruments.instrument_id,
        landed.timeframe,
        sessions.session,
        case
            when sessions.session < instruments.listed_on or sessions.session >= instruments.delisted_on then 0
            when landed.timeframe = '1m' then sessions.session_minutes
            else 1
        end as expected_count
    from landed
    inner join instruments on landed.instrument_id = instruments.instrument_id
    cross join lateral (
        select
            calendar_days.session,
            calendar_days.session_minutes
        from sessions as calendar_days
        where
            calendar_days.calendar = instruments.calendar
            and calendar_days.session >= landed.start_session
            and calendar_days.session < landed.end_session
    ) as sessions

),

-- How many bars a session has is read off its candle: no minute is touched twice.
bars as (

    select
        instrument_id,
        '1m' as timeframe,
        session,
        bar_count,
        source
    from {{ ref('candles_1d') }}
    where {{ in_window() }}

    union all

    select
        instrument_id,
        '1d' as timeframe,
        session,
        1 as bar_count,
        source
    from {{ ref('int_day_bars') }}
    where {{ in_window() }}

),

findings as (

    select * from {{ ref('stg_ops__findings') }}
    where
        state = 'open'
        and {{ in_window() }}

),

held as (

    select
        quarantine.instrument_id,
        quarantine.timeframe,
        quarantine.ts,
        sessions.session
    from {{ ref('stg_massive__quarantine') }} as quarantine
    inner join instruments on quarantine.instrument_id = instruments.instrument_id
    inner join sessions
        on
            instruments.calendar = sessions.calendar
            and (quarantine.ts at time zone sessions.zone)::date = sessions.session

),

marks as (

    select
        instrument_id,
        timeframe,
        session,
        ts,
        severity
    from findings

    union all

    select
        instrument_id,
        timeframe,
        session,
        ts,
        'held' as severity
    from held

),

marked as (

    select
        instrument_id,
        timeframe,
        session,
        ts,
        bool_or(severity = 'critical') as is_critical,
        bool_or(severity = 'held') as is_held,
        power(0.5::double precision, count(*) filter (where severity = 'major'))
        * power(0.85::double precision, count(*) filter (where severity = 'minor')) as plausibility
    from marks
    group by instrument_id, timeframe, session, ts

),

-- Whether a marked instant is an accepted bar: few are marked, each is one look at the key.
located as (

    select
        marked.*,
        case marked.timeframe
            when '1m'
                then
                    exists (
                        select from {{ ref('stg_massive__bars_1m') }} as minutes
                        where
                            minutes.instrument_id = marked.instrument_id
                            and minutes.ts = marked.ts
                            and minutes.ts >= sessions.opens_at
                            and minutes.ts < sessions.closes_at
                            and {{ is_trade('minutes', 'instruments.counts_fillers') }}
                    )
            else exists (
                select from {{ ref('stg_massive__bars_1d') }} as days
                where
                    days.instrument_id = marked.instrument_id
                    and days.ts = marked.ts
                    and days.ts = sessions.day_ts
            )
        end as is_accepted
    from marked
    inner join instruments on marked.instrument_id = instruments.instrument_id
    left join sessions
        on
            instruments.calendar = sessions.calendar
            and marked.session = sessions.session

),

judged as (

    select
        instrument_id,
        timeframe,
        session,
        count(*) filter (where is_accepted and is_critical) as accepted_critical,
        count(*) filter (where is_accepted and not is_critical) as accepted_marked,
        sum(plausibility order by ts) filter (where is_accepted and not is_critical) as plausibility,
        count(*) filter (where not is_accepted and (is_held or is_critical)) as refused,
        count(*) filter (where not is_accepted and is_held and not is_critical) as held_otherwise
    from located
    group by instrument_id, timeframe, session

),

counted as (

    select
        instrument_id,
        timeframe,
        session,
        bars.source,
        coalesce(bars.bar_count, 0) as bar_count,
        coalesce(bars.bar_count, 0) - coalesce(judged.accepted_critical, 0) as sound,
        coalesce(judged.accepted_marked, 0) as marked,
        coalesce(judged.plausibility, 0) as marked_plausibility,
        coalesce(judged.refused, 0) as refused,
        coalesce(judged.held_otherwise, 0) as held_otherwise
    from bars
    full join judged using (instrument_id, timeframe, session)

),

measured as (

    select
        instrument_id,
        timeframe,
        session,
        bar_count,
        source,
        (sound + held_otherwise)::double precision / nullif(bar_count + refused, 0) as validity,
        (sound - marked + marked_plausibility) / nullif(sound, 0) as plausibility
    from counted

),

held_counts as (

    select
        instrument_id,
        timeframe,
        session,
        count(*)::integer as held_count
    from held
    group by instrument_id, timeframe, session

),

finding_counts as (

    select
        instrument_id,
        timeframe,
        session,
        count(*)::integer as findings,
        case
            when bool_or(severity = 'critical') then 0.2
            when bool_or(severity = 'major') then 0.5
            else 1.0
        end::double precision as cap
    from findings
    group by instrument_id, timeframe, session

),

joined as (

    select
        partitions.instrument_id,
        partitions.timeframe,
        partitions.session,
        partitions.expected_count,
        measured.validity,
        measured.plausibility,
        measured.source,
        finding_counts.cap,
        least(
            1.0,
            coalesce(measured.bar_count, 0)::double precision / nullif(partitions.expected_count, 0)
        ) as completeness,
        coalesce(measured.bar_count, 0) as bar_count,
        coalesce(held_counts.held_count, 0) as held_count,
        coalesce(finding_counts.findings, 0) as findings
    from partitions
    left join measured using (instrument_id, timeframe, session)
    left join held_counts using (instrument_id, timeframe, session)
    left join finding_counts using (instrument_id, timeframe, session)

),

final as (

    select
        instrument_id,
        timeframe,
        session,
        case
            when expected_count > 0
                then least(
                    coalesce(cap, 1.0),
                    -- greatest() passes over nulls, so an absent term has to be left out by hand.
                    exp(
                        (
                            case when validity is null then 0 else 0.30 * ln(greatest(validity, 0.01)) end
                            + 0.25 * ln(greatest(completeness, 0.01))
                            + case when plausibility is null then 0 else 0.15 * ln(greatest(plausibility, 0.01)) end
                        )
                        / (
                            case when validity is null then 0 else 0.30 end
                            + 0.25
                            + case when plausibility is null then 0 else 0.15 end
                        )
                    )
                )
        end as score,
        validity,
        case when expected_count > 0 then completeness end as completeness,
        plausibility,
        bar_count,
        expected_count,
        held_count,
        findings,
        source
    from joined

)

select * from final
