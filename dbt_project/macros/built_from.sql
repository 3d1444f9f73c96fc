{#
    What stands behind each session of the window at this moment, by model: (instrument_id, session, model, read_key,
    is_final). A session without a row in the calendar has no candle; its key says so, and changes when it gets one.
#}

{# Candles from minutes: the last ingest that changed a bar of the session, and its hours. #}
{% macro minutes_now() %}
    select
        instruments.instrument_id,
        bars.session,
        '{{ model.name }}' as model,
        concat_ws(
            '/',
            bars.ingest_id,
            instruments.asset_class,
            {{ epoch('sessions.opens_at') }},
            {{ epoch('sessions.closes_at') }}
        ) as read_key,
        coalesce(sessions.closes_at + interval '15 minutes' <= {{ as_of() }}, true) as is_final
    from {{ ref('stg_ops__instruments') }} as instruments
    cross join lateral ({{ bars_now('instruments.instrument_id', '1m') }}) as bars
    left join {{ ref('stg_ops__sessions') }} as sessions
        on
            instruments.calendar = sessions.calendar
            and bars.session = sessions.session
{% endmacro %}

{# Candles from finer ones: their build. #}
{% macro finer_now(finer) %}
    select
        instrument_id,
        session,
        '{{ model.name }}' as model,
        build_id::text as read_key,
        is_final
    from marts.candle_builds
    where
        model = '{{ finer }}'
        and {{ in_window() }}
{% endmacro %}

{# Days: the build of their 30m candles, the minutes around the session, the vendor's day bar. #}
{% macro days_now() %}
    select
        finer.instrument_id,
        finer.session,
        '{{ model.name }}' as model,
        concat_ws(
            '/',
            finer.build_id,
            'm' || ({{ latest_ingest('finer', '1m') }}),
            'd' || ({{ latest_ingest('finer', '1d') }}),
            {{ epoch('sessions.pre_open') }},
            {{ epoch('sessions.post_close') }}
        ) as read_key,
        coalesce(sessions.final_at <= {{ as_of() }}, true) as is_final
    from marts.candle_builds as finer
    inner join {{ ref('stg_ops__instruments') }} as instruments on finer.instrument_id = instruments.instrument_id
    left join {{ ref('stg_ops__sessions') }} as sessions
        on
            instruments.calendar = sessions.calendar
            and finer.session = sessions.session
    where
        finer.model = 'candles_30m'
        and {{ in_window('finer.session') }}
{% endmacro %}

{# Weeks: the newest build of their days, and how many minutes the calendar gives them. #}
{% macro weeks_now() %}
    select
        days.instrument_id,
        days.monday as session,
        '{{ model.name }}' as model,
        concat_ws('/', max(days.build_id), count(*), min(weeks.session_minutes)) as read_key,
        coalesce(min(weeks.final_at) <= {{ as_of() }}, true) as is_final
    from (
        select
            instrument_id,
            build_id,
            (date_trunc('week', session::timestamp))::date as monday
        from marts.candle_builds
        where
            model = 'candles_1d'
            and {{ in_window('session', 'week') }}
    ) as days
    inner join {{ ref('stg_ops__instruments') }} as instruments on days.instrument_id = instruments.instrument_id
    left join ({{ weeks_of_the_calendar() }}) as weeks
        on
            instruments.calendar = weeks.calendar
            and days.monday = weeks.monday
    group by days.instrument_id, days.monday
{% endmacro %}

{#
    Asked sessions: which timeframes were asked for, the candle of the minutes, the day bar, the hours and the listing,
    what is held and halted; and the habit of the 20 sessions before where a minute is missing, because that changes
    with their bars.
#}
{% macro asked_now() %}
    select
        asked.instrument_id,
        asked.session,
        '{{ model.name }}' as model,
        concat_ws(
            '/',
            asked.spans,
            'm' || coalesce(minutes.build_id, 0),
            'd' || coalesce(({{ latest_ingest('asked', '1d') }}), 0),
            {{ epoch('asked.opens_at') }},
            {{ epoch('asked.closes_at') }},
            'h' || held.digest,
            'x' || (
                select sum(hashtextextended(concat_ws('/', kind, starts_at, ends_at), 0))
                {{ overlapping_exceptions('asked.instrument_id', 'asked.calendar', 'asked.opens_at', 'asked.closes_at') }}
            ),
            'u' || habit.usual_share,
            habit.share_range
        ) as read_key,
        coalesce(asked.final_at <= {{ as_of() }}, true) as is_final
    from (
        select
            instrument_id,
            calendar,
            session,
            day_ts,
            opens_at,
            closes_at,
            final_at,
            regular_minutes,
            string_agg(
                concat_ws(' ', timeframe, case when is_answered then 'bars' end, case when is_listed then 'listed' end),
                '+' order by timeframe
            ) as spans
        from (
            with spans as ({{ asked_spans() }}),

            instruments as (select * from {{ ref('stg_ops__instruments') }})

            {{ asked_partitions('spans', all=true) }}
        ) as partitions
        group by instrument_id, calendar, session, day_ts, opens_at, closes_at, final_at, regular_minutes
    ) as asked
    left join lateral (
        select build_id
        from marts.candle_builds
        where
            model = 'candles_1d'
            and session = asked.session
            and instrument_id = asked.instrument_id
        offset 0
    ) as minutes on true
    left join lateral (
        {{ habit('asked.instrument_id', 'asked.day_ts') }}
        where
            asked.spans like '1m%'
            and asked.regular_minutes > coalesce((
                select bar_count from {{ ref('candles_1d') }}
                where
                    instrument_id = asked.instrument_id
                    and ts = asked.day_ts
            ), 0)
        offset 0
    ) as habit on true
    left join (
        select
            instrument_id,
            session,
            sum(hashtextextended(timeframe || ts, 0)) as digest
        from ({{ held_bars() }}) as instants
        group by instrument_id, session
    ) as held
        on
            asked.instrument_id = held.instrument_id
            and asked.session = held.session
{% endmacro %}

{#
    Scores: the build of the asked session, what the judges object to in it, what there is to compare with, and whether
    its bars were in time. A finding that is new, decided or judged otherwise changes the sum of the fingerprints.
#}
{% macro judged_now() %}
    select
        asked.instrument_id,
        asked.session,
        '{{ model.name }}' as model,
        concat_ws(
            '/',
            asked.build_id,
            'f' || objections.digest,
            'w' || witnesses.digest,
            't' || arrived.first_ingests,
            {{ var('freshness_minutes') | float }},
            {{ epoch('sessions.closes_at') }},
            {{ epoch('sessions.due_at') }},
            sessions.closes_at >= instruments.tracked_from
        ) as read_key,
        -- A session without bars is late from its deadline on.
        coalesce(sessions.due_at <= {{ as_of() }}, true) as is_final
    from marts.candle_builds as asked
    inner join {{ ref('stg_ops__instruments') }} as instruments on asked.instrument_id = instruments.instrument_id
    inner join ({{ deadlines() }}) as sessions
        on
            instruments.calendar = sessions.calendar
            and asked.session = sessions.session
    left join (
        select
            instrument_id,
            session,
            string_agg(timeframe || first_ingest_id, '+' order by timeframe) as first_ingests
        from {{ ref('stg_ops__bar_sessions') }}
        where {{ in_window() }}
        group by instrument_id, session
    ) as arrived
        on
            asked.instrument_id = arrived.instrument_id
            and asked.session = arrived.session
    left join (
        select
            instrument_id,
            session,
            sum(hashtextextended(
                concat_ws('/', finding_id, severity, term, {{ epoch('ts') }}, {{ epoch('until') }}), 0
            )) as digest
        from ({{ objections() }}) as costing
        group by instrument_id, session
    ) as objections
        on
            asked.instrument_id = objections.instrument_id
            and asked.session = objections.session
    left join (
        select
            instrument_id,
            session,
            string_agg(timeframe || source, '+' order by timeframe, source) as digest
        from ({{ witnessed_sessions() }}) as witnessed
        group by instrument_id, session
    ) as witnesses
        on
            asked.instrument_id = witnesses.instrument_id
            and asked.session = witnesses.session
    where
        asked.model = 'asked_sessions'
        and {{ in_window('asked.session') }}
{% endmacro %}

{# What is served of a session: all builds of its candles, its day bar, its scores; of a week the same. #}
{% macro served_now() %}
    select
        instrument_id,
        session,
        model,
        concat_ws(
            '/', min(asset_class), string_agg(part, '/' order by part)
        ) as read_key,
        coalesce(max(final_at) <= {{ as_of() }}, true) as is_final
    from (
        select
            builds.instrument_id,
            builds.session,
            '{{ model.name }}' || case builds.model when 'candles_1w' then ' weeks' else '' end as model,
            builds.model || ' ' || builds.build_id as part
        from marts.candle_builds as builds
        where
            (builds.model in ('candles_5m', 'candles_15m', 'candles_30m', 'candles_1h', 'candles_4h', 'candles_1d')
            and {{ in_window('builds.session') }})
            or (builds.model = 'candles_1w' and {{ in_window('builds.session', 'week') }})

        union all

        select
            bars.instrument_id,
            bars.session,
            '{{ model.name }}' as model,
            'day ' || bars.ingest_id as part
        from {{ ref('stg_ops__instruments') }} as instruments
        cross join lateral ({{ bars_now('instruments.instrument_id', '1d') }}) as bars

        union all

        select
            instrument_id,
            session,
            '{{ model.name }}' as model,
            'score ' || timeframe || ' ' || score as part
        from {{ ref('quality_scores_daily') }}
        where {{ in_window() }}

        union all

        select
            instrument_id,
            (date_trunc('week', session::timestamp))::date as session,
            '{{ model.name }} weeks' as model,
            'score ' || min(score) as part
        from {{ ref('quality_scores_daily') }}
        where
            timeframe = '1m'
            and {{ in_window('session', 'week') }}
        group by instrument_id, (date_trunc('week', session::timestamp))::date
    ) as parts
    inner join {{ ref('stg_ops__instruments') }} as instruments using (instrument_id)
    left join {{ ref('stg_ops__sessions') }} as sessions using (calendar, session)
    group by instrument_id, session, model
{% endmacro %}

{# `offset 0` keeps it one range of the key per instrument, whatever the planner knows of the table. #}
{% macro bars_now(instrument_id, timeframe) %}
    select
        instrument_id,
        session,
        ingest_id
    from {{ ref('stg_ops__bar_sessions') }}
    where
        instrument_id = {{ instrument_id }}
        and timeframe = '{{ timeframe }}'
        and {{ in_window() }}
    offset 0
{% endmacro %}

{% macro latest_ingest(pair, timeframe) -%}
    select ingest_id from {{ ref('stg_ops__bar_sessions') }}
    where
        instrument_id = {{ pair }}.instrument_id
        and timeframe = '{{ timeframe }}'
        and session = {{ pair }}.session
{%- endmacro %}

{% macro weeks_of_the_calendar() %}
    select
        calendar,
        monday,
        min(week_ts) as week_ts,
        sum(session_minutes)::integer as session_minutes,
        max(final_at) as final_at
    from {{ ref('stg_ops__sessions') }}
    where {{ in_window('session', 'week') }}
    group by calendar, monday
{% endmacro %}

{% macro epoch(instant) -%}
    date_part('epoch', {{ instant }})::bigint
{%- endmacro %}

{% macro zone_of(calendar) -%}
    case {{ calendar }} when 'NYSE' then 'America/New_York' else 'UTC' end
{%- endmacro %}
