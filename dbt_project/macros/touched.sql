{#
    What a model was built from, so that a run recomputes only what changed since.

    `marts.candle_builds` has a row per (model, session, instrument): `read_key` names what was read (the ingest of the
    bars and the session's hours, or the builds of the finer candles), `build_id` names this build and is what the next
    model remembers of it. Numbers come from a sequence under the model's lock, so a later build has a larger one.

    Honest under concurrency: keys are taken before the rows they stand for are read, each statement sees at least what
    the one before saw, and they are written in the transaction that writes the candles. A key may be older than the
    rows, which costs one needless rebuild; it is never newer.
#}
{% macro prepare_builds() %}
    {# One statement, hence one transaction; two dbt processes that start together wait for each other here. #}
    do $prepare$
    begin
        perform pg_advisory_xact_lock(7304526121);
        create schema if not exists marts;
        create sequence if not exists marts.candle_build_ids;
        create table if not exists marts.candle_builds (
            model text not null,
            session date not null,
            instrument_id integer not null,
            build_id bigint not null,
            read_key text not null,
            is_final boolean not null,
            primary key (model, session, instrument_id)
        );
    end
    $prepare$
{% endmacro %}

{% macro tracks_builds() %}
    {{ return(config.get('meta', {}).get('built_from') is not none) }}
{% endmacro %}

{#
    False for a first build, and with `rebuild`, which also repairs rows that no bar asked for. A unit test has no
    `this`, and no table to look at.
#}
{% macro only_touched() %}
    {{ return(execute and this is not none and is_incremental() and not var('rebuild') and tracks_builds()) }}
{% endmacro %}

{% macro touched_relation() -%}
    touched_{{ model.name }}
{%- endmacro %}

{#
    A row belongs to a touched session. The range of `ts`, the session's local day, lets the key's index find it; the
    date lets a large set be joined by hash.
#}
{% macro is_touched(held, touched) -%}
    {%- set served = config.get('meta', {}).get('window') == 'candle' -%}
    {{ held }}.instrument_id = {{ touched }}.instrument_id
    and {{ held }}.session = {{ touched }}.session
    {%- if served %}
    and {{ held }}.symbol = {{ touched }}.symbol
    and {{ held }}.timeframe = any({{ touched }}.timeframes)
    and {{ held }}.basis in ('minutes', 'day')
    {%- endif %}
    {%- if not keyed_by_session() %}
    and {{ held }}.ts >= {{ touched }}.starts_at
    and {{ held }}.ts < {{ touched }}.ends_at
    {%- endif %}
{%- endmacro %}

{# Rows of sessions have no instant: their key's index finds them by instrument and session. #}
{% macro keyed_by_session() %}
    {{ return('ts' not in config.get('unique_key')) }}
{% endmacro %}

{#
    Collect the sessions to build into a temporary table: those whose key is another than last time, that held candles
    not yet final, or that were never built; all of the window when everything is rebuilt.
#}
{% macro note_touched(forget) %}
    {%- set built_from = config.get('meta')['built_from'] -%}
    {%- set weeks = config.get('meta').get('window') == 'week' -%}
    {% call statement('touched') %}
        {% if forget %}
            delete from marts.candle_builds where model in ('{{ model.name }}', '{{ model.name }} weeks');
        {% endif %}
        drop table if exists {{ touched_relation() }};
        create temporary table {{ touched_relation() }} on commit drop as
        with candidates as (

            {% if built_from == 'minutes' %}
            {{ minutes_now() }}
            {% elif built_from == 'day' %}
            {{ days_now() }}
            {% elif built_from == 'week' %}
            {{ weeks_now() }}
            {% elif built_from == 'asked' %}
            {{ asked_now() }}
            {% elif built_from == 'judged' %}
            {{ judged_now() }}
            {% elif built_from == 'marts' %}
            {{ served_now() }}
            {% else %}
            {{ finer_now(built_from) }}
            {% endif %}

        )

        select
            candidates.instrument_id,
            candidates.session,
            candidates.model,
            candidates.read_key,
            candidates.is_final,
            {% if built_from == 'marts' %}
            instruments.symbol,
            case
                when candidates.model = '{{ model.name }}' then array['5m', '15m', '30m', '1h', '4h', '1d']
                else array['1w']
            end as timeframes,
            {% endif %}
            candidates.session::timestamp at time zone {{ zone_of('instruments.calendar') }} as starts_at,
            (
                candidates.session
                + {{ 7 if weeks else "case when candidates.model like '% weeks' then 7 else 1 end" }}
            )::timestamp at time zone {{ zone_of('instruments.calendar') }} as ends_at
        from candidates
        inner join {{ ref('stg_ops__instruments') }} as instruments
            on candidates.instrument_id = instruments.instrument_id
        left join lateral (
            -- One look at the key per session, whatever the planner knows of the table: guesses took 2 s here.
            select
                read_key,
                is_final
            from marts.candle_builds
            where
                model = candidates.model
                and session = candidates.session
                and instrument_id = candidates.instrument_id
            offset 0
        ) as built on true
        where
            {{ 'false' if only_touched() else 'true' }}
            or built.read_key is distinct from candidates.read_key
            or not built.is_final;
        analyze {{ touched_relation() }};
    {% endcall %}
{% endmacro %}

{% macro note_built() %}
    {% call statement('built') %}
        insert into marts.candle_builds (model, session, instrument_id, build_id, read_key, is_final)
        select
            model,
            session,
            instrument_id,
            (select nextval('marts.candle_build_ids')) as build_id,
            read_key,
            is_final
        from {{ touched_relation() }}
        order by model, session, instrument_id
        on conflict (model, session, instrument_id) do update set
            build_id = excluded.build_id,
            read_key = excluded.read_key,
            is_final = excluded.is_final
    {% endcall %}
{% endmacro %}
