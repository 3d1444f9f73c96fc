{{ config(meta={'dagster': {'ref': {'name': 'quality_scores_daily'}}}) }}

select * from {{ ref('quality_scores_daily') }}
where
    {{ in_window() }}
    and not (
        coalesce(score, 0) between 0 and 1
        and coalesce(validity, 0) between 0 and 1
        and coalesce(completeness, 0) between 0 and 1
        and coalesce(plausibility, 0) between 0 and 1
        and coalesce(consistency, 0) between 0 and 1
        and coalesce(timeliness, 0) between 0 and 1
        and (score is null) = (expected_count = 0)
    )
