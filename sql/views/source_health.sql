-- source_health: one row per source that has run or delivered anything. Is it still coming in, and is anything stuck?
--
--   source            name of the [[source]] in klang.toml
--   feedback          its live feedback
--   last_feedback_at  when the newest of it was written (UTC)
--   days_silent       whole days from that to last_success_at: how long the source has had nothing to tell when it was last
--                     read in full. Not counted to today, so a scheduler that stands still is not taken for silence
--   last_success_at   start of the last ingest run that succeeded (UTC)
--   last_run_at       start of the last ingest run (UTC)
--   last_run_status   success, failed or running
--   last_run_error    why it failed, or NULL
--   last_run_read, last_run_new, last_run_changed, last_run_deleted, last_run_quarantined   what that run counted
--   raw_waiting       received items (each version of one) that wait for cleaning
--   feedback_waiting  feedback that no model has scored yet, as it stands
--   quarantine_open   records that could not be read and are not resolved
--
-- Example: sources that need a look
--   SELECT source, last_run_status, last_run_error, days_silent, quarantine_open FROM source_health
--   WHERE last_run_status <> 'success' OR days_silent > 7 OR quarantine_open > 0;

WITH sources AS (
    SELECT source FROM raw_item
    UNION
    SELECT source FROM feedback
    UNION
    SELECT source FROM quarantine
    UNION
    SELECT source FROM run_log WHERE stage = 'ingest' AND source IS NOT NULL
),

received AS (
    SELECT
        source,
        COUNT(*) AS feedback,
        MAX(created_at) AS last_feedback_at,
        COUNT(*) FILTER (WHERE scored_by IS NULL) AS feedback_waiting
    FROM feedback
    WHERE deleted_at IS NULL
    GROUP BY source
),

runs AS (
    SELECT
        run_log.*,
        ROW_NUMBER() OVER (PARTITION BY source ORDER BY started_at DESC, run_id DESC) AS newest_first,
        MAX(CASE WHEN status = 'success' THEN started_at END) OVER (PARTITION BY source) AS last_success_at
    FROM run_log
    WHERE stage = 'ingest'
),

waiting AS (
    SELECT source, COUNT(*) AS raw_waiting FROM raw_item WHERE cleaned_at IS NULL GROUP BY source
),

quarantined AS (
    SELECT source, COUNT(*) AS quarantine_open FROM quarantine WHERE resolved_at IS NULL GROUP BY source
)

SELECT
    sources.source,
    COALESCE(received.feedback, 0) AS feedback,
    received.last_feedback_at,
    CAST(runs.last_success_at AS DATE) - CAST(received.last_feedback_at AS DATE) AS days_silent,
    runs.last_success_at,
    runs.started_at AS last_run_at,
    runs.status AS last_run_status,
    runs.error AS last_run_error,
    CAST(runs.counts ->> 'read' AS INTEGER) AS last_run_read,
    CAST(runs.counts ->> 'new' AS INTEGER) AS last_run_new,
    CAST(runs.counts ->> 'changed' AS INTEGER) AS last_run_changed,
    CAST(runs.counts ->> 'deleted' AS INTEGER) AS last_run_deleted,
    CAST(runs.counts ->> 'quarantined' AS INTEGER) AS last_run_quarantined,
    COALESCE(waiting.raw_waiting, 0) AS raw_waiting,
    COALESCE(received.feedback_waiting, 0) AS feedback_waiting,
    COALESCE(quarantined.quarantine_open, 0) AS quarantine_open
FROM sources
LEFT JOIN received ON received.source = sources.source
LEFT JOIN runs ON runs.source = sources.source AND runs.newest_first = 1
LEFT JOIN waiting ON waiting.source = sources.source
LEFT JOIN quarantined ON quarantined.source = sources.source
