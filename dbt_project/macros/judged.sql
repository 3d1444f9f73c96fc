{#
    Findings that lower a score, once for every session they touch: (instrument_id, timeframe, session, finding_id, ts,
    until, severity, term). Most touch one and are joined by its date; only the others are spread over the calendar.
#}
{% macro objections() -%}
    select
        instrument_id,
        timeframe,
        session,
        finding_id,
        ts,
        coalesce(ts_end, ts + interval '1 minute') as until,
        severity,
        term
    from {{ ref('stg_ops__findings') }}
    where
        costs
        and last_session = session
        and {{ in_window() }}

    union all

    select
        findings.instrument_id,
        findings.timeframe,
        sessions.session,
        findings.finding_id,
        findings.ts,
        coalesce(findings.ts_end, findings.ts + interval '1 minute') as until,
        findings.severity,
        findings.term
    from {{ ref('stg_ops__findings') }} as findings
    inner join {{ ref('stg_ops__sessions') }} as sessions
        on
            findings.calendar = sessions.calendar
            and findings.session <= sessions.session
            and findings.last_session >= sessions.session
    where
        findings.costs
        and findings.last_session > findings.session
        and {{ in_window('sessions.session') }}
{%- endmacro %}

{#
    Sessions another source has bars of, by source. Its day bars speak about minutes as well. A source the judges have
    not yet told apart from the published feed, or found to be the same, testifies to nothing.
#}
{% macro witnessed_sessions() -%}
    select distinct
        witnesses.instrument_id,
        timeframes.timeframe,
        (witnesses.ts at time zone {{ zone_of('instruments.calendar') }})::date as session,
        witnesses.source
    from {{ ref('stg_witness__bars') }} as witnesses
    inner join {{ ref('stg_ops__instruments') }} as instruments
        on witnesses.instrument_id = instruments.instrument_id
    cross join lateral unnest(
        case witnesses.timeframe when '1d' then array['1d', '1m'] else array[witnesses.timeframe] end
    ) as timeframes (timeframe)
    inner join {{ ref('stg_ops__witness_sources') }} as sources
        on
            witnesses.instrument_id = sources.instrument_id
            and timeframes.timeframe = sources.timeframe
            and witnesses.source = sources.source
    where
        sources.is_independent
        and {{ near_window('witnesses.ts') }}
{%- endmacro %}

{#
    By when the bars of each session have to be known: the next opening; where sessions follow each other without a
    break, the end of the next one. Null after the last session of the calendar. `freshness_minutes` above 0 is what
    minutes have instead (`quality/deadlines.py`). Looked up one by one, 82,000 next sessions took 70 s.
#}
{% macro deadlines() -%}
    {%- set edges = window_edges() -%}
    {%- set freshness = var('freshness_minutes') | float -%}
    select
        *,
        {{ "closes_at + interval '" ~ freshness ~ " minutes'" if freshness > 0 else 'due_at' }} as minutes_due_at
    from (
        select
            *,
            case
                when lead(opens_at) over following > closes_at then lead(opens_at) over following
                else lead(closes_at) over following
            end as due_at
        from {{ ref('stg_ops__sessions') }}
        where
            session >= date '{{ edges[0] }}'
            and session < date '{{ edges[1] }}' + 31
        window following as (partition by calendar order by session)
    ) as sessions
{%- endmacro %}
