-- When a venue (no instrument) or one instrument did not trade as usual. What closes a venue for hours or days has
-- changed `ops.sessions` already; of a venue only halts are left to look at.
with source as (

    select * from {{ source('ops', 'session_exceptions') }}

),

renamed as (

    select
        exception_id,
        calendar,
        instrument_id,
        kind,
        starts_at,
        ends_at
    from source
    where
        instrument_id is not null
        or kind = 'halt'

)

select * from renamed
