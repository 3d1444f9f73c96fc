-- One row per asked (instrument_id, timeframe, session), also when no bar came: how far to trust it, and from what it
-- is counted. Which findings cost, what each count means and why is said in `quality/score.py`, whose functions give
-- the same figures. Terms, each in [0, 1], absent where their denominator is 0:
--   validity     .30  sound / judged bars
--   completeness .25  present / expected, at most 1
--   consistency  .20  over the compared bars, product of (1 - w) over findings of consistency
--   plausibility .15  over the judged bars, product of (1 - w) of the sound ones
--   timeliness   .10  1 by the deadline, 0 when it took three times as long
-- score = exp(sum w ln max(term, .01) / sum w); at most .2 while a critical finding costs, .5 for a major. Null, as are
-- the terms, where nothing was expected.
-- noqa: disable=LT02,AM09
{{
    config(
        unique_key=['instrument_id', 'timeframe', 'session'],
        meta={'window': 'session', 'built_from': 'judged'},
        indexes=[
            {'columns': ['instrument_id', 'timeframe', 'session'], 'unique': true},
            {'columns': ['session']},
        ],
        pre_hook="set local enable_nestloop = off",
    )
}}
-- Joins are by a whole key, so by hash: on tables just filled the planner expects one row of 41,000 and compares each
-- with each, 540 s instead of 1.5.
{%- set weights = {
    'validity': 0.30, 'completeness': 0.25, 'consistency': 0.20, 'plausibility': 0.15, 'timeliness': 0.10
} %}
{%- set deadline = "case asked.timeframe when '1m' then sessions.minutes_due_at else sessions.due_at end" %}

with instruments as (

    select * from {{ ref('stg_ops__instruments') }}

),

asked as (

    select asked_sessions.*
    from {{ ref('asked_sessions') }} as asked_sessions
    {%- if only_touched() %}
    inner join {{ touched_relation() }} as touched
        on
            asked_sessions.instrument_id = touched.instrument_id
            and asked_sessions.session = touched.session
    {%- else %}
    where {{ in_window('asked_sessions.session') }}
    {%- endif %}

),

sessions as (

    {{ deadlines() }}

),

witnesses as (

    select
        instrument_id,
        timeframe,
        session,
        array_agg(source) as sources
    from ({{ witnessed_sessions() }}) as witnessed
    group by instrument_id, timeframe, session

),

-- Each session is a few looks at keys, whatever the planner knows of tables just filled.
partitions as (

    select
        asked.instrument_id,
        asked.timeframe,
        asked.session,
        asked.expected_count,
        asked.present_count,
        asked.held_count,
        asked.present_count + asked.held_count as judged_count,
        asked.source,
        instruments.counts_fillers,
        sessions.day_ts,
        sessions.opens_at,
        sessions.closes_at,
        (
            (asked.timeframe = '1m' and day_bars.is_there is not null)
            or (asked.timeframe = '1d' and all_minutes.is_there is not null)
            or coalesce(array_length(array_remove(witnesses.sources, asked.source), 1), 0) > 0
        ) as is_compared,
        {{ deadline }} as deadline,
        arrived.known_from,
        (
            sessions.closes_at >= instruments.tracked_from
            and {{ deadline }} is not null
            and (arrived.known_from is not null or {{ deadline }} <= {{ as_of() }})
        ) as is_timed
    from asked
    inner join instruments on asked.instrument_id = instruments.instrument_id
    inner join sessions
        on
            instruments.calendar = sessions.calendar
            and asked.session = sessions.session
    left join lateral (
        select true as is_there
        from {{ ref('stg_massive__bars_1d') }} as bars
        where
            bars.instrument_id = asked.instrument_id
            and bars.ts = sessions.day_ts
        offset 0
    ) as day_bars on true
    left join lateral (
        select true as is_there
        from {{ ref('candles_1d') }} as candles
        where
            candles.instrument_id = asked.instrument_id
            and candles.ts = sessions.day_ts
            and candles.bar_count >= candles.expected_count
        offset 0
    ) as all_minutes on true
    left join lateral (
        select ingests.known_from
        from {{ ref('stg_ops__bar_sessions') }} as bar_sessions
        inner join {{ ref('stg_ops__ingests') }} as ingests on bar_sessions.first_ingest_id = ingests.ingest_id
        where
            bar_sessions.instrument_id = asked.instrument_id
            and bar_sessions.timeframe = asked.timeframe
            and bar_sessions.session = asked.session
        offset 0
    ) as arrived on true
    left join witnesses
        on
            asked.instrument_id = witnesses.instrument_id
            and asked.timeframe = witnesses.timeframe
            and asked.session = witnesses.session

),

objections as (

    {{ objections() }}

),

held as (

    {{ held_bars() }}

),

charged as (

    select
        partitions.instrument_id,
        partitions.timeframe,
        partitions.session,
        partitions.present_count,
        partitions.counts_fillers,
        partitions.day_ts,
        objections.finding_id,
        objections.severity,
        objections.term,
        objections.ts as found_ts,
        objections.until as found_until,
        greatest(objections.ts, partitions.opens_at) as since,
        least(objections.until, partitions.closes_at) as until
    from partitions
    inner join objections using (instrument_id, timeframe, session)

),

about_bars as (

    select * from charged
    where term in ('validity', 'plausibility', 'consistency')

),

-- Bars that a finding covers, once per finding: few, or those of the sessions that a finding about all of them names.
covered as (

    select
        about_bars.instrument_id,
        about_bars.timeframe,
        about_bars.session,
        minutes.ts,
        about_bars.severity,
        about_bars.term
    from about_bars
    cross join lateral (
        select bars.ts
        from {{ ref('stg_massive__bars_1m') }} as bars
        where
            about_bars.timeframe = '1m'
            and bars.instrument_id = about_bars.instrument_id
            and bars.ts >= about_bars.since
            and bars.ts < about_bars.until
            and {{ is_trade('bars', 'about_bars.counts_fillers') }}
        offset 0
    ) as minutes

    union all

    select
        instrument_id,
        timeframe,
        session,
        day_ts as ts,
        severity,
        term
    from about_bars
    where
        timeframe = '1d'
        and present_count > 0

    union all

    select
        about_bars.instrument_id,
        about_bars.timeframe,
        about_bars.session,
        held.ts,
        about_bars.severity,
        about_bars.term
    from about_bars
    inner join held using (instrument_id, timeframe, session)
    where
        about_bars.timeframe = '1d'
        or (held.ts >= about_bars.found_ts and held.ts < about_bars.found_until)

),

weighed as (

    select
        instrument_id,
        timeframe,
        session,
        ts,
        bool_or(severity = 'critical' and term <> 'consistency') as is_unsound,
        power(0.5::double precision, count(*) filter (where severity = 'major' and term <> 'consistency'))
        * power(0.85::double precision, count(*) filter (where severity = 'minor' and term <> 'consistency'))
        as plausible,
        power(0::double precision, count(*) filter (where severity = 'critical' and term = 'consistency'))
        * power(0.5::double precision, count(*) filter (where severity = 'major' and term = 'consistency'))
        * power(0.85::double precision, count(*) filter (where severity = 'minor' and term = 'consistency'))
        as consistent
    from covered
    group by instrument_id, timeframe, session, ts

),

marked as (

    select
        instrument_id,
        timeframe,
        session,
        count(*)::integer as marked_count,
        (count(*) filter (where is_unsound))::integer as unsound_count,
        coalesce(sum(plausible order by ts) filter (where not is_unsound), 0) as plausible,
        coalesce(sum(plausible * consistent order by ts) filter (where not is_unsound), 0) as plausible_and_consistent,
        sum(consistent order by ts) as consistent
    from weighed
    group by instrument_id, timeframe, session

),

touching as (

    select
        instrument_id,
        timeframe,
        session,
        count(*)::integer as findings,
        bool_or(severity = 'major') as has_major,
        bool_or(severity = 'critical') as has_critical
    from charged
    group by instrument_id, timeframe, session

),

tallied as (

    select
        partitions.instrument_id,
        partitions.timeframe,
        partitions.session,
        partitions.expected_count,
        partitions.present_count,
        partitions.held_count,
        partitions.judged_count,
        partitions.source,
        partitions.judged_count - coalesce(marked.unsound_count, 0) as sound_count,
        partitions.judged_count - coalesce(marked.marked_count, 0)
        + coalesce(
            case when partitions.is_compared then marked.plausible else marked.plausible_and_consistent end, 0
        ) as plausible_sum,
        case when partitions.is_compared then partitions.judged_count else 0 end as compared_count,
        case
            when partitions.is_compared
                then partitions.judged_count - coalesce(marked.marked_count, 0) + coalesce(marked.consistent, 0)
            else 0
        end as consistent_sum,
        partitions.is_timed,
        case
            when not partitions.is_timed or partitions.known_from is null then 0
            else
                least(1, greatest(0, (
                    3 * extract(epoch from partitions.deadline - partitions.closes_at)
                    - extract(epoch from partitions.known_from - partitions.closes_at)
                ) / (2 * extract(epoch from partitions.deadline - partitions.closes_at))))
        end::double precision as timely,
        coalesce(touching.findings, 0) as findings,
        coalesce(touching.has_major, false) as has_major,
        coalesce(touching.has_critical, false) as has_critical
    from partitions
    left join marked using (instrument_id, timeframe, session)
    left join touching using (instrument_id, timeframe, session)

),

-- least() passes over nulls, so what may be absent is not asked for its lesser.
measured as (

    select
        *,
        case when judged_count > 0 then sound_count::double precision / judged_count end as validity,
        case
            when expected_count > 0 then least(1.0, present_count::double precision / expected_count)
        end as completeness,
        case when compared_count > 0 then least(1.0, consistent_sum / compared_count) end as consistency,
        case when judged_count > 0 then least(1.0, plausible_sum / judged_count) end as plausibility,
        case when is_timed then case when judged_count > 0 then timely else 0 end end as timeliness,
        case when has_critical then 0.2 when has_major then 0.5 else 1.0 end::double precision as cap
    from tallied

),

final as (

    select
        instrument_id,
        timeframe,
        session,
        case
            when expected_count > 0
                then least(
                    cap,
                    -- greatest() passes over nulls, so an absent term has to be left out by hand.
                    exp(
                        (
                            {%- for term, weight in weights.items() %}
                            {{ '+ ' if not loop.first }}case
                                when {{ term }} is null then 0
                                else {{ weight }} * ln(greatest({{ term }}, 0.01))
                            end
                            {%- endfor %}
                        )
                        / (
                            {%- for term, weight in weights.items() %}
                            {{ '+ ' if not loop.first }}case when {{ term }} is null then 0 else {{ weight }} end
                            {%- endfor %}
                        )
                    )
                )
        end as score,
        case when expected_count > 0 then validity end as validity,
        completeness,
        case when expected_count > 0 then plausibility end as plausibility,
        present_count as bar_count,
        expected_count,
        held_count,
        findings,
        source,
        case when expected_count > 0 then consistency end as consistency,
        case when expected_count > 0 then timeliness end as timeliness,
        judged_count,
        sound_count,
        plausible_sum,
        compared_count,
        consistent_sum,
        is_timed,
        timely,
        has_major,
        has_critical
    from measured

)

select * from final
