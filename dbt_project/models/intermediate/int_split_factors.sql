-- Per instrument and span of sessions [valid_from, valid_to): the splits still to come, as one ratio of integers
-- (numeric, so that no product is rounded). Only accepted splits count. One acts once a day bar on or after its ex-date
-- exists: one announced for the future is accepted and inert.
with recursive splits as (

    select * from {{ ref('stg_ops__corporate_actions') }}
    where
        kind = 'split'
        and status = 'accepted'

),

newest as (

    select
        instrument_id,
        max(session) as session
    from {{ ref('int_day_bars') }}
    where instrument_id in (select instrument_id from splits)
    group by instrument_id

),

effective as (

    select
        splits.instrument_id,
        splits.ex_date,
        splits.split_from,
        splits.split_to,
        row_number() over (partition by splits.instrument_id order by splits.ex_date desc) as place,
        lag(splits.ex_date) over (
            partition by splits.instrument_id
            order by splits.ex_date
        ) as previous_date
    from splits
    inner join newest
        on
            splits.instrument_id = newest.instrument_id
            and splits.ex_date <= newest.session

),

multiplied as (

    select
        instrument_id,
        place,
        ex_date,
        previous_date,
        split_from::numeric as numerator,
        split_to::numeric as denominator
    from effective
    where place = 1

    union all

    select
        effective.instrument_id,
        effective.place,
        effective.ex_date,
        effective.previous_date,
        multiplied.numerator * effective.split_from as numerator,
        multiplied.denominator * effective.split_to as denominator
    from multiplied
    inner join effective
        on
            multiplied.instrument_id = effective.instrument_id
            and multiplied.place + 1 = effective.place

),

final as (

    select
        instrument_id,
        coalesce(previous_date, '-infinity'::date) as valid_from,
        ex_date as valid_to,
        numerator,
        denominator
    from multiplied

)

select * from final
