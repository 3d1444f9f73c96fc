-- Missing bars by session with what findings say of them. Where nothing else is known, a finding may have the reason
-- (`explained`) or evidence of an outage: a witness, or several instruments that miss the same minutes. A gap is never
-- called an outage without evidence.
{{ config(materialized='view_of_marts') }}

with holes as (

    select * from {{ ref('int_holes') }}

),

-- Of a symbol: a session (8), minutes (17), a month (26). Of its venue: minutes missed together (28).
findings as (

    select
        finding_id,
        instrument_id,
        timeframe,
        ts,
        ts_end,
        session,
        last_session,
        verdict,
        false as is_shared
    from {{ ref('stg_ops__findings') }}
    where
        check_number in (8, 17, 26)
        and state <> 'dismissed'
        and instrument_id is not null

    union all

    select
        shared.finding_id,
        instruments.instrument_id,
        shared.timeframe,
        shared.ts,
        shared.ts_end,
        shared.session,
        shared.last_session,
        shared.verdict,
        true as is_shared
    from {{ ref('stg_ops__findings') }} as shared
    inner join {{ ref('stg_ops__instruments') }} as instruments on shared.calendar = instruments.calendar
    where
        shared.check_number = 28
        and shared.state <> 'dismissed'
        and shared.instrument_id is null

),

-- A finding without an end is about its session; one with an end about the instants up to it.
met as (

    select
        holes.instrument_id,
        holes.timeframe,
        holes.ts,
        (array_agg(
            findings.finding_id order by findings.is_shared, findings.ts_end is null, findings.finding_id
        ))[1] as finding_id,
        bool_or(findings.verdict = 'explained') as is_explained,
        bool_or(
            findings.verdict = 'confirmed'
            or (findings.is_shared and findings.verdict = 'suspected')
        ) as is_outage
    from {{ ref('int_holes') }} as holes
    inner join findings
        on
            holes.instrument_id = findings.instrument_id
            and holes.timeframe = findings.timeframe
            and holes.session >= findings.session
            and holes.session <= findings.last_session
            and (
                holes.timeframe = '1d'
                or findings.ts_end is null
                or (holes.ts < findings.ts_end and holes.ts_end > findings.ts)
            )
    group by holes.instrument_id, holes.timeframe, holes.ts

),

final as (

    select
        holes.instrument_id,
        holes.timeframe,
        holes.session,
        holes.place,
        holes.ts,
        holes.ts_end,
        holes.begins_with_session,
        holes.ends_with_session,
        holes.missing_count,
        case
            when holes.reason <> 'unknown' then holes.reason
            when met.is_explained then 'explained'
            when met.is_outage then 'suspected_outage'
            else 'unknown'
        end as reason,
        met.finding_id
    from holes
    left join met
        on
            holes.instrument_id = met.instrument_id
            and holes.timeframe = met.timeframe
            and holes.ts = met.ts

)

select * from final
