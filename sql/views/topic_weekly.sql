-- topic_weekly: one row per week x country x source x topic.
--
-- Why this grain: a country is where customers notice the same thing, a source has its own tone, and finer cells hold too few
-- texts in a week. Every week, country and source with judged texts has a row for every topic, with 0 mentions
-- if need be; so sums over countries or sources keep the right denominator and a curve has no holes.
--
--   week               Monday of the ISO week (UTC)
--   country, source    of the feedback; country may be NULL
--   topic              what is spoken of
--   feedback           texts judged in that week, country and source, whatever their topics
--   mentions           how many of them mention the topic
--   negative_mentions, neutral_mentions, positive_mentions   the mentions by what is said of the topic
--   share_of_feedback  mentions / feedback, 0 to 1
--   negative_share     negative_mentions / mentions, 0 to 1; NULL without a mention
--   mentions_change    mentions minus those of the week before; NULL where that week has no judged text
--   share_change       share_of_feedback minus that of the week before; NULL likewise
--
-- The newest week is usually not over. A text with two topics counts for both: mentions do not add up over topics.
--
-- Example: how much of the feedback in each country mentions delivery
--   SELECT week, country, 1.0 * SUM(mentions) / SUM(feedback) AS share, SUM(negative_mentions) AS complaints
--   FROM topic_weekly WHERE topic = 'delivery' GROUP BY week, country ORDER BY week, country;

WITH judged AS (
    SELECT CAST(date_trunc('week', day) AS DATE) AS week, country, source, COUNT(*) AS feedback
    FROM feedback_scored
    WHERE has_text AND sentiment IS NOT NULL
    GROUP BY week, country, source
),

mentioned AS (
    SELECT
        CAST(date_trunc('week', day) AS DATE) AS week,
        country,
        source,
        topic,
        COUNT(*) AS mentions,
        COUNT(*) FILTER (WHERE polarity = 'negative') AS negative_mentions,
        COUNT(*) FILTER (WHERE polarity = 'neutral') AS neutral_mentions,
        COUNT(*) FILTER (WHERE polarity = 'positive') AS positive_mentions
    FROM feedback_topics
    GROUP BY week, country, source, topic
),

-- A row without mentions for every topic, and the rows with mentions: together they fill the grid.
cells AS (
    SELECT
        week,
        country,
        source,
        topic,
        feedback,
        0 AS mentions,
        0 AS negative_mentions,
        0 AS neutral_mentions,
        0 AS positive_mentions
    FROM judged
    CROSS JOIN (SELECT DISTINCT topic FROM mentioned) AS topics
    UNION ALL
    SELECT
        week,
        country,
        source,
        topic,
        0 AS feedback,
        mentions,
        negative_mentions,
        neutral_mentions,
        positive_mentions
    FROM mentioned
),

weekly AS (
    SELECT
        week,
        country,
        source,
        topic,
        MAX(feedback) AS feedback,
        MAX(mentions) AS mentions,
        MAX(negative_mentions) AS negative_mentions,
        MAX(neutral_mentions) AS neutral_mentions,
        MAX(positive_mentions) AS positive_mentions,
        CAST(MAX(mentions) AS DOUBLE PRECISION) / MAX(feedback) AS share_of_feedback
    FROM cells
    GROUP BY week, country, source, topic
),

compared AS (
    SELECT
        weekly.*,
        LAG(week) OVER by_week = CAST(week - INTERVAL '7 days' AS DATE) AS follows,
        LAG(mentions) OVER by_week AS mentions_before,
        LAG(share_of_feedback) OVER by_week AS share_before
    FROM weekly
    WINDOW by_week AS (PARTITION BY country, source, topic ORDER BY week)
)

SELECT
    week,
    country,
    source,
    topic,
    feedback,
    mentions,
    negative_mentions,
    neutral_mentions,
    positive_mentions,
    share_of_feedback,
    CAST(negative_mentions AS DOUBLE PRECISION) / NULLIF(mentions, 0) AS negative_share,
    CASE WHEN follows THEN mentions - mentions_before END AS mentions_change,
    CASE WHEN follows THEN share_of_feedback - share_before END AS share_change
FROM compared
