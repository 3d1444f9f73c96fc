-- A view, because a split changes every earlier row at once: a table would have to be rewritten per instrument at each
-- new split, and this costs 3,500 rows in a few milliseconds. Nothing the API serves reads it.
-- Windows are partitioned by symbol too, so that a reader's filter on symbol reaches the bars.
{{ config(materialized='view') }}

with bars as (

    select * from {{ ref('int_day_bars') }}

),

factors as (

    select * from {{ ref('int_split_factors') }}

),

adjusted as (

    select
        bars.symbol,
        bars.instrument_id,
        bars.session,
        bars.ts,
        bars.close as raw_close,
        coalesce(factors.numerator, 1)::double precision as numerator,
        coalesce(factors.denominator, 1)::double precision as denominator,
        bars.open,
        bars.high,
        bars.low,
        bars.close,
        bars.volume,
        bars.source
    from bars
    left join factors
        on
            bars.instrument_id = factors.instrument_id
            and bars.session >= factors.valid_from
            and bars.session < factors.valid_to

),

divided as (

    select
        symbol,
        instrument_id,
        session,
        ts,
        raw_close,
        open * numerator / denominator as open,
        high * numerator / denominator as high,
        low * numerator / denominator as low,
        close * numerator / denominator as close,
        volume * denominator / numerator as volume,
        numerator / denominator as split_factor,
        source
    from adjusted

),

final as (

    select
        symbol,
        instrument_id,
        session,
        ts,
        raw_close,
        open,
        high,
        low,
        close,
        volume,
        split_factor,
        close / nullif(lag(close) over (partition by symbol, instrument_id order by session), 0) - 1 as return_1d,
        source
    from divided

)

select * from final
