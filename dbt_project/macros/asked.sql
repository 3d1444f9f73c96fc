{#
    What finished windows asked the source for, per instrument and timeframe, as ranges of sessions that do not
    overlap: `asked` by any answer, also while a later attempt runs or has failed; `answered` by one that held bars, published or held back.
#}
{% macro asked_spans() -%}
    select
        instrument_id,
        timeframe,
        range_agg(daterange(start_session, end_session)) as asked,
        coalesce(
            range_agg(daterange(start_session, end_session)) filter (
                where status in ('published', 'quarantined') or last_answer in ('published', 'quarantined')
            ),
            '{}'::datemultirange
        ) as answered
    from {{ ref('stg_ops__ingest_windows') }}
    where
        (
            status in ('published', 'empty_suspected', 'empty', 'quarantined')
            or last_answer is not null
        )
        and timeframe in ('1m', '1d')
    group by instrument_id, timeframe
{%- endmacro %}

{#
    Share of their minutes that the 20 sessions before had, where a session had bars at all, and the range of its
    middle half: an instrument that does not trade every
    minute is measured by its own habit (check 17). An outage is no habit. With fewer than 5 sessions before, the first
    20 of the series tell.
#}
{% macro habit(instrument_id, day_ts) -%}
    select
        (case when before.sessions >= 5 then before.quartiles else beginning.quartiles end)[2] as usual_share,
        (case when before.sessions >= 5 then before.quartiles else beginning.quartiles end)[3]
        - (case when before.sessions >= 5 then before.quartiles else beginning.quartiles end)[1] as share_range
    from (
        select
            count(*) as sessions,
            percentile_cont(array[0.25, 0.5, 0.75]) within group (order by shares.share) as quartiles
        from (
            {{ session_shares(instrument_id) }}
                and candles.ts < {{ day_ts }}
            order by candles.ts desc
            limit 20
        ) as shares
    ) as before
    cross join lateral (
        select percentile_cont(array[0.25, 0.5, 0.75]) within group (order by shares.share) as quartiles
        from (
            {{ session_shares(instrument_id) }}
                and before.sessions < 5
            order by candles.ts
            limit 20
        ) as shares
    ) as beginning
{%- endmacro %}

{% macro session_shares(instrument_id) -%}
    select candles.bar_count::double precision / candles.expected_count as share
    from {{ ref('candles_1d') }} as candles
    where
        candles.instrument_id = {{ instrument_id }}
{%- endmacro %}

{# Halts, closures and odd hours that overlap `[since, until)`: of the instrument, and halts of its venue. #}
{% macro overlapping_exceptions(instrument_id, calendar, since, until) -%}
    from {{ ref('stg_ops__session_exceptions') }} as exceptions
    where
        exceptions.calendar = {{ calendar }}
        and coalesce(exceptions.instrument_id, {{ instrument_id }}) = {{ instrument_id }}
        and exceptions.starts_at < {{ until }}
        and exceptions.ends_at > {{ since }}
{%- endmacro %}

{# How many minutes of a grid that begins at `since` start inside the range `span`, which lies inside the grid. #}
{% macro minutes_in(span, since) -%}
    (
        ceil(extract(epoch from upper({{ span }}) - {{ since }}) / 60)
        - ceil(extract(epoch from lower({{ span }}) - {{ since }}) / 60)
    )::integer
{%- endmacro %}

{# The partitions a model of asked sessions builds: the touched ones, else (or with `all`) those of the window. #}
{% macro asked_partitions(spans, all=false) %}
    select
        instruments.instrument_id,
        instruments.calendar,
        spans.timeframe,
        coalesce(instruments.listed_on, beginnings.begins_on) as begins_on,
        sessions.session,
        sessions.day_ts,
        sessions.opens_at,
        sessions.closes_at,
        sessions.final_at,
        sessions.session_minutes as regular_minutes,
        case spans.timeframe when '1m' then sessions.session_minutes else 1 end as calendar_minutes,
        sessions.session <@ spans.answered as is_answered,
        (
            sessions.session >= coalesce(instruments.listed_on, beginnings.begins_on, '-infinity')
            and sessions.session < coalesce(instruments.delisted_on, 'infinity')
        ) as is_listed
    from {{ spans }} as spans
    inner join instruments on spans.instrument_id = instruments.instrument_id
    left join ({{ beginnings() }}) as beginnings
        on
            spans.instrument_id = beginnings.instrument_id
            and spans.timeframe = beginnings.timeframe
    {%- if only_touched() and not all %}
    inner join {{ touched_relation() }} as touched
        on
            spans.instrument_id = touched.instrument_id
            and touched.session <@ spans.asked
    inner join {{ ref('stg_ops__sessions') }} as sessions
        on
            instruments.calendar = sessions.calendar
            and touched.session = sessions.session
    {%- else %}
    cross join lateral unnest(spans.asked) as parts (span)
    inner join {{ ref('stg_ops__sessions') }} as sessions
        on
            instruments.calendar = sessions.calendar
            and sessions.session >= lower(parts.span)
            and sessions.session < upper(parts.span)
    where {{ in_window('sessions.session') }}
    {%- endif %}
{% endmacro %}

{# Where nobody knows the listing, a series has nothing to expect before its first bar. #}
{% macro beginnings() -%}
    select
        instrument_id,
        timeframe,
        min(session) as begins_on
    from {{ ref('stg_ops__bar_sessions') }}
    where bar_count > 0
    group by instrument_id, timeframe
{%- endmacro %}

{# Held instants by session, without those a published bar stands at; `held_minutes` lie in the regular session. #}
{% macro held_instants() %}
    select
        distinct_held.instrument_id,
        distinct_held.timeframe,
        distinct_held.session,
        count(*)::integer as held_count,
        (count(*) filter (where distinct_held.is_regular))::integer as held_minutes
    from ({{ held_bars() }}) as distinct_held
    group by distinct_held.instrument_id, distinct_held.timeframe, distinct_held.session
{% endmacro %}

{% macro held_bars() %}
    select distinct
        quarantine.instrument_id,
        quarantine.timeframe,
        quarantine.ts,
        sessions.session,
        case quarantine.timeframe
            when '1m'
                then
                    quarantine.ts >= sessions.opens_at
                    and quarantine.ts < sessions.closes_at
                    and quarantine.ts = date_trunc('minute', quarantine.ts)
            else true
        end as is_regular
    from {{ ref('stg_massive__quarantine') }} as quarantine
    inner join {{ ref('stg_ops__instruments') }} as instruments
        on quarantine.instrument_id = instruments.instrument_id
    inner join {{ ref('stg_ops__sessions') }} as sessions
        on
            instruments.calendar = sessions.calendar
            and (quarantine.ts at time zone sessions.zone)::date = sessions.session
    where
        {{ in_window('sessions.session') }}
        and {{ near_window('quarantine.ts') }}
        and not exists (
            select from {{ ref('stg_massive__bars_1m') }} as minutes
            where
                quarantine.timeframe = '1m'
                and minutes.instrument_id = quarantine.instrument_id
                and minutes.ts = quarantine.ts
        )
        and not exists (
            select from {{ ref('stg_massive__bars_1d') }} as days
            where
                quarantine.timeframe = '1d'
                and days.instrument_id = quarantine.instrument_id
                and days.ts = quarantine.ts
        )
{% endmacro %}
