-- Contiguous regular minutes inside a session that have no bar, with their reason: one row per (instrument_id, ts).
-- Fillers are bars here. Only sessions that lack a part of their minutes are read, whole ones are in `asked_sessions`;
-- where some of the missing minutes are held or halted, and only there, each is looked at.
-- noqa: disable=LT02,AM09
{{
    config(
        unique_key=['instrument_id', 'ts'],
        meta={'window': 'session', 'built_from': 'asked_sessions'},
        indexes=[{'columns': ['instrument_id', 'ts'], 'unique': true}],
        post_hook="{{ index_sessions() }}",
    )
}}

with incomplete as (

    select
        asked.instrument_id,
        asked.session,
        asked.reason,
        sessions.calendar,
        sessions.opens_at,
        sessions.closes_at,
        asked.held_minutes > 0 as has_held,
        (
            select count(*) > 0
            {{ overlapping_exceptions(
                'asked.instrument_id', 'sessions.calendar', 'sessions.opens_at', 'sessions.closes_at'
            ) }}
        ) as has_halts
    from {{ ref('asked_sessions') }} as asked
    inner join {{ ref('stg_ops__instruments') }} as instruments on asked.instrument_id = instruments.instrument_id
    inner join {{ ref('stg_ops__sessions') }} as sessions
        on
            instruments.calendar = sessions.calendar
            and asked.session = sessions.session
    {%- if only_touched() %}
    inner join {{ touched_relation() }} as touched
        on
            asked.instrument_id = touched.instrument_id
            and asked.session = touched.session
    {%- endif %}
    where
        asked.timeframe = '1m'
        and asked.missing_count > 0
        and not asked.is_whole
        {%- if not only_touched() %}
        and {{ in_window('asked.session') }}
        {%- endif %}

),

holes as (

    select
        incomplete.*,
        between_bars.since,
        between_bars.until
    from incomplete
    cross join lateral (
        select
            coalesce(lag(instants.ts) over (order by instants.ts) + interval '1 minute', incomplete.opens_at) as since,
            instants.ts as until
        from (
            select bars.ts
            from {{ ref('stg_massive__bars_1m') }} as bars
            where
                bars.instrument_id = incomplete.instrument_id
                and bars.ts >= incomplete.opens_at
                and bars.ts < incomplete.closes_at
            union all
            select incomplete.closes_at as ts
        ) as instants
        offset 0
    ) as between_bars
    where between_bars.since < between_bars.until

),

minutes as (

    select
        holes.instrument_id,
        holes.session,
        grid.ts,
        coalesce(
            (
                select 'held'
                from {{ ref('stg_massive__quarantine') }} as quarantine
                where
                    quarantine.instrument_id = holes.instrument_id
                    and quarantine.timeframe = '1m'
                    and quarantine.ts = grid.ts
                limit 1
            ),
            (
                select case when bool_or(exceptions.kind = 'closure') then 'closure' when count(*) > 0 then 'halt' end
                {{ overlapping_exceptions(
                    'holes.instrument_id', 'holes.calendar', 'grid.ts', "(grid.ts + interval '1 microsecond')"
                ) }}
            ),
            holes.reason
        ) as reason
    from holes
    cross join lateral generate_series(holes.since, holes.until - interval '1 minute', interval '1 minute') as grid (ts)
    where
        holes.has_held
        or holes.has_halts

),

islands as (

    select
        *,
        ts - row_number() over (partition by instrument_id, session, reason order by ts) * interval '1 minute' as island
    from minutes

),

final as (

    select
        instrument_id,
        session,
        since as ts,
        until as ts_end,
        (extract(epoch from until - since) / 60)::integer as missing_count,
        reason
    from holes
    where not (has_held or has_halts)

    union all

    select
        instrument_id,
        session,
        min(ts) as ts,
        max(ts) + interval '1 minute' as ts_end,
        count(*)::integer as missing_count,
        reason
    from islands
    group by instrument_id, session, reason, island

)

select * from final
