-- driver_impact_by_segment: one row per segment x topic. What driver_impact tells of all feedback, told of each source,
-- country and product on its own. The method and the meaning of the figures are explained in driver_impact.sql.
--
--   segment_kind   all, source, country or product
--   segment        which one: 'SE'; 'all' for the kind all. Feedback without a country (product) is in no such segment
--   topic          the topic, or 'none' for texts without one
--   contribution   what the topic adds to the segment's change; over the topics of one segment these sum to change
--   volume_effect  the part of it that comes of being spoken of more or less than before
--   score_effect   the rest: being spoken of better or worse than before
--   leave_one_out  score_now minus score_without: what the mentions lift (+) or drag (-) the present score by
--   score_without  the score now without the texts that mention the topic
--   mentions_before, mentions_now   texts that mention the topic in each period
--   texts_before, texts_now         judged texts of the segment in each period
--   score_before, score_now         score of the segment in each period
--   change                          score_now minus score_before
--
-- Figures that would need a text where there is none are NULL. Segments overlap: always filter by segment_kind.
--
-- Example: what made each country's score fall
--   SELECT segment AS country, topic, contribution, change FROM driver_impact_by_segment
--   WHERE segment_kind = 'country' AND contribution < 0 ORDER BY country, contribution;

WITH newest AS (
    SELECT day
    FROM feedback_scored
    WHERE has_text AND sentiment IS NOT NULL
    ORDER BY created_at DESC
    LIMIT 1
),

texts AS (
    SELECT
        f.feedback_id,
        f.source,
        f.country,
        f.product,
        f.sentiment,
        CASE f.sentiment WHEN 'positive' THEN 1 WHEN 'negative' THEN -1 ELSE 0 END AS score,
        CASE WHEN f.created_at >= newest.day - INTERVAL '27 days' THEN 1 ELSE 0 END AS is_now
    FROM feedback_scored AS f
    JOIN newest ON f.created_at >= newest.day - INTERVAL '55 days'
    WHERE f.has_text AND f.sentiment IS NOT NULL
),

mentions AS (
    SELECT t.feedback_id, t.topic, t.polarity
    FROM feedback_topics AS t
    JOIN newest ON t.created_at >= newest.day - INTERVAL '55 days'
),

-- One row per text and topic; agrees: what is said of the topic is what the text says as a whole.
parts AS (
    SELECT
        texts.feedback_id,
        COALESCE(mentions.topic, 'none') AS topic,
        CASE WHEN mentions.polarity = texts.sentiment THEN 1 ELSE 0 END AS agrees
    FROM texts
    LEFT JOIN mentions ON mentions.feedback_id = texts.feedback_id
),

weighted AS (
    SELECT
        feedback_id,
        topic,
        CASE
            WHEN SUM(agrees) OVER of_text = 0 THEN CAST(1 AS DOUBLE PRECISION) / COUNT(*) OVER of_text
            ELSE CAST(agrees AS DOUBLE PRECISION) / SUM(agrees) OVER of_text
        END AS weight
    FROM parts
    WINDOW of_text AS (PARTITION BY feedback_id)
),

segments AS (
    SELECT 'all' AS segment_kind, 'all' AS segment, feedback_id, score, is_now FROM texts
    UNION ALL
    SELECT 'source' AS segment_kind, source AS segment, feedback_id, score, is_now FROM texts
    UNION ALL
    SELECT 'country' AS segment_kind, country AS segment, feedback_id, score, is_now FROM texts WHERE country IS NOT NULL
    UNION ALL
    SELECT 'product' AS segment_kind, product AS segment, feedback_id, score, is_now FROM texts WHERE product IS NOT NULL
),

totals AS (
    SELECT
        segment_kind,
        segment,
        SUM(1 - is_now) AS texts_before,
        SUM(is_now) AS texts_now,
        SUM(score * is_now) AS sum_now,
        CAST(SUM(score * (1 - is_now)) AS DOUBLE PRECISION) / NULLIF(SUM(1 - is_now), 0) AS score_before,
        CAST(SUM(score * is_now) AS DOUBLE PRECISION) / NULLIF(SUM(is_now), 0) AS score_now
    FROM segments
    GROUP BY segment_kind, segment
),

by_topic AS (
    SELECT
        s.segment_kind,
        s.segment,
        w.topic,
        SUM(1 - s.is_now) AS mentions_before,
        SUM(s.is_now) AS mentions_now,
        SUM(s.score * s.is_now) AS mention_sum_now,
        SUM(w.weight * (1 - s.is_now)) AS weight_before,
        SUM(w.weight * s.is_now) AS weight_now,
        SUM(w.weight * s.score * (1 - s.is_now)) AS weighted_sum_before,
        SUM(w.weight * s.score * s.is_now) AS weighted_sum_now
    FROM segments AS s
    JOIN weighted AS w ON w.feedback_id = s.feedback_id
    GROUP BY s.segment_kind, s.segment, w.topic
),

measured AS (
    SELECT
        b.*,
        t.texts_before,
        t.texts_now,
        t.score_before,
        t.score_now,
        (b.weighted_sum_now - t.score_before * b.weight_now) / NULLIF(t.texts_now, 0)
        - (b.weighted_sum_before - t.score_before * b.weight_before) / NULLIF(t.texts_before, 0) AS contribution,
        (b.weight_now / NULLIF(t.texts_now, 0) - b.weight_before / NULLIF(t.texts_before, 0))
        * (COALESCE(b.weighted_sum_before / NULLIF(b.weight_before, 0), t.score_before) - t.score_before) AS volume_effect,
        CAST(t.sum_now - b.mention_sum_now AS DOUBLE PRECISION) / NULLIF(t.texts_now - b.mentions_now, 0) AS score_without
    FROM by_topic AS b
    JOIN totals AS t ON t.segment_kind = b.segment_kind AND t.segment = b.segment
)

SELECT
    segment_kind,
    segment,
    topic,
    contribution,
    volume_effect,
    contribution - volume_effect AS score_effect,
    score_now - score_without AS leave_one_out,
    score_without,
    mentions_before,
    mentions_now,
    texts_before,
    texts_now,
    score_before,
    score_now,
    score_now - score_before AS change
FROM measured
