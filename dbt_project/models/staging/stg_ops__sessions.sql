with source as (

    select * from {{ source('ops', 'sessions') }}

),

zoned as (

    select
        *,
        {{ zone_of('calendar') }} as zone
    from source

),

renamed as (

    select
        calendar,
        session,
        open as opens_at,
        close as closes_at,
        pre_open,
        post_close,
        day_ts,
        week_ts,
        is_early,
        zone,
        (date_trunc('week', session::timestamp))::date as monday,
        (extract(epoch from close - open) / 60)::integer as session_minutes,
        -- Listed markets: 11:00 local the day after, when the vendor's daily file is complete. Never 86,400 s later.
        case calendar
            when '24/7' then close + interval '15 minutes'
            else ((session + 1) + time '11:00') at time zone zone
        end as final_at
    from zoned

)

select * from renamed
