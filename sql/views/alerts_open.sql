-- alerts_open: one row per alert that has not recovered.
--
--   alert_id       number of the alert
--   kind           what is above expectation: share (of the feedback, how much is negative)
--   series         where it shows best: 'country=SE topic=delivery'; of a topic, the texts that are negative about it
--   opened_on, last_on   first and last day of the alert so far
--   days_open      days from the first to the last, both counted
--   since          first of the days that the evidence comes from; it may lie before opened_on
--   negatives, total     negative feedback and all feedback from since to last_on
--   share          negatives / total, 0 to 1
--   expected       the share that was to be expected
--   expected_high  what the share stays below on 39 of 40 quiet days
--   p_value        chance of such evidence on a quiet day
--   drivers        the topics that the negative feedback is about, with counts, as JSON
--   quotes         what customers wrote, as JSON
--   notified_at    when somebody was first told (UTC); NULL: nobody was
--
-- Example: what is going on, the longest first
--   SELECT series, opened_on, days_open, share, expected, quotes FROM alerts_open ORDER BY days_open DESC;

SELECT
    a.alert_id,
    a.kind,
    a.series,
    a.opened_on,
    a.last_on,
    CAST(a.last_on AS DATE) - CAST(a.opened_on AS DATE) + 1 AS days_open,
    a.since,
    a.negatives,
    a.total,
    a.share,
    a.expected,
    a.expected_high,
    a.p_value,
    CAST(a.drivers AS TEXT) AS drivers,
    CAST(a.quotes AS TEXT) AS quotes,
    (SELECT MIN(n.sent_at) FROM notification AS n WHERE n.alert_id = a.alert_id AND n.change = 'opened') AS notified_at
FROM alert AS a
WHERE a.recovered_on IS NULL
