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

WITH periods AS (
    SELECT day - INTERVAL '55 days' AS before_starts, day - INTERVAL '27 days' AS now_starts
    FROM feedback_scored
    WHERE has_text AND sentiment IS NOT NULL
    ORDER BY created_at DESC
    LIMIT 1
),

mentions AS (
    SELECT feedback_id, source, country, product, created_at, sentiment, topic, polarity
    FROM feedback_topics
    WHERE created_at >= (SELECT before_starts FROM periods)
    UNION ALL
    SELECT feedback_id, source, country, product, created_at, sentiment, 'none' AS topic, sentiment AS polarity
    FROM feedback_scored
    WHERE created_at >= (SELECT before_starts FROM periods) AND has_text AND sentiment IS NOT NULL AND topics IS NULL
),

-- agrees: what is said of the topic is what the text says as a whole. first: the row that its text is counted by.
parts AS (
    SELECT
        feedback_id,
        source,
        country,
        product,
        topic,
        CASE WHEN created_at >= (SELECT now_starts FROM periods) THEN 1 ELSE 0 END AS is_now,
        CASE sentiment WHEN 'positive' THEN 1 WHEN 'negative' THEN -1 ELSE 0 END AS score,
        CASE WHEN polarity = sentiment THEN 1 ELSE 0 END AS agrees,
        CASE WHEN ROW_NUMBER() OVER (PARTITION BY feedback_id ORDER BY topic) = 1 THEN 1 ELSE 0 END AS first
    FROM mentions
),

weighted AS (
    SELECT
        parts.*,
        CASE
            WHEN SUM(agrees) OVER of_text = 0 THEN CAST(1 AS DOUBLE PRECISION) / COUNT(*) OVER of_text
            ELSE CAST(agrees AS DOUBLE PRECISION) / SUM(agrees) OVER of_text
        END AS weight
    FROM parts
    WINDOW of_text AS (PARTITION BY feedback_id)
),

segments AS (
    SELECT 'all' AS segment_kind, 'all' AS segment, topic, is_now, score, first, weight FROM weighted
    UNION ALL
    SELECT 'source' AS segment_kind, source AS segment, topic, is_now, score, first, weight FROM weighted
    UNION ALL
    SELECT 'country' AS segment_kind, country AS segment, topic, is_now, score, first, weight FROM weighted
    UNION ALL
    SELECT 'product' AS segment_kind, product AS segment, topic, is_now, score, first, weight FROM weighted
),

by_topic AS (
    SELECT
        segment_kind,
        segment,
        topic,
        SUM(1 - is_now) AS mentions_before,
        SUM(is_now) AS mentions_now,
        SUM(score * is_now) AS mention_sum_now,
        SUM(weight * (1 - is_now)) AS weight_before,
        SUM(weight * is_now) AS weight_now,
        SUM(weight * score * (1 - is_now)) AS weighted_sum_before,
        SUM(weight * score * is_now) AS weighted_sum_now,
        SUM(first * (1 - is_now)) AS first_before,
        SUM(first * is_now) AS first_now,
        SUM(first * score * (1 - is_now)) AS first_sum_before,
        SUM(first * score * is_now) AS first_sum_now
    FROM segments
    WHERE segment IS NOT NULL
    GROUP BY segment_kind, segment, topic
),

totals AS (
    SELECT
        by_topic.*,
        CAST(SUM(first_before) OVER of_segment AS INTEGER) AS texts_before,
        CAST(SUM(first_now) OVER of_segment AS INTEGER) AS texts_now,
        CAST(SUM(first_sum_before) OVER of_segment AS DOUBLE PRECISION) AS sum_before,
        CAST(SUM(first_sum_now) OVER of_segment AS DOUBLE PRECISION) AS sum_now
    FROM by_topic
    WINDOW of_segment AS (PARTITION BY segment_kind, segment)
),

scores AS (
    SELECT
        totals.*,
        sum_before / NULLIF(texts_before, 0) AS score_before,
        sum_now / NULLIF(texts_now, 0) AS score_now,
        (sum_now - mention_sum_now) / NULLIF(texts_now - mentions_now, 0) AS score_without
    FROM totals
),

effects AS (
    SELECT
        scores.*,
        (weighted_sum_now - score_before * weight_now) / NULLIF(texts_now, 0)
        - (weighted_sum_before - score_before * weight_before) / NULLIF(texts_before, 0) AS contribution,
        (weight_now / NULLIF(texts_now, 0) - weight_before / NULLIF(texts_before, 0))
        * (COALESCE(weighted_sum_before / NULLIF(weight_before, 0), score_before) - score_before) AS volume_effect
    FROM scores
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
FROM effects
