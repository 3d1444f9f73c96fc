-- One row per instrument under its present ticker: the last one it held. When another instrument took the ticker over
-- later, the earlier holder is shown as TICKER_YYYYMMDD, its last day, because a symbol names one instrument.
with instruments as (

    select * from {{ source('ops', 'instruments') }}

),

tickers as (

    select * from {{ source('ops', 'instrument_tickers') }}

),

latest as (

    select distinct on (instrument_id)
        instrument_id,
        ticker,
        valid_from,
        valid_to
    from tickers
    order by instrument_id asc, valid_from desc

),

holders as (

    select
        ticker,
        max(valid_from) as valid_from
    from tickers
    group by ticker

),

final as (

    select
        instruments.instrument_id,
        case
            when latest.valid_from = holders.valid_from then latest.ticker
            else latest.ticker || '_' || to_char(latest.valid_to - 1, 'YYYYMMDD')
        end as symbol,
        instruments.asset_class,
        -- A bar of volume 0 at one price stands for no trade, except where no volume is ever published.
        instruments.asset_class not in ('stocks', 'crypto') as counts_fillers,
        instruments.calendar,
        instruments.currency,
        instruments.name,
        instruments.listed_on,
        instruments.delisted_on,
        instruments.created_at as tracked_from
    from instruments
    inner join latest on instruments.instrument_id = latest.instrument_id
    inner join holders on latest.ticker = holders.ticker

)

select * from final
