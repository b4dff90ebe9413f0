-- sentiment_daily: one row per day x source x channel x country x language x product that has feedback.
--
--   day             date of the feedback (UTC)
--   source, channel, country, language, product   of the feedback; country and product may be NULL
--   feedback        all feedback = negatives + neutrals + positives + unscored + without_text
--   negatives, neutrals, positives   texts judged so
--   unscored        texts that wait for scoring
--   without_text    ratings without words: they have no sentiment
--   negative_share  negatives / (negatives + neutrals + positives), 0 to 1; NULL where nothing is judged
--
-- Shares do not add up: over several rows, divide the sums.
--
-- Example: the negative share of each country, by day
--   SELECT day, country, 1.0 * SUM(negatives) / NULLIF(SUM(negatives + neutrals + positives), 0) AS negative_share
--   FROM sentiment_daily GROUP BY day, country ORDER BY day, country;

WITH counted AS (
    SELECT
        day,
        source,
        channel,
        country,
        language,
        product,
        COUNT(*) AS feedback,
        COUNT(*) FILTER (WHERE has_text AND sentiment = 'negative') AS negatives,
        COUNT(*) FILTER (WHERE has_text AND sentiment = 'neutral') AS neutrals,
        COUNT(*) FILTER (WHERE has_text AND sentiment = 'positive') AS positives,
        COUNT(*) FILTER (WHERE has_text AND sentiment IS NULL) AS unscored,
        COUNT(*) FILTER (WHERE NOT has_text) AS without_text
    FROM feedback_scored
    GROUP BY day, source, channel, country, language, product
)

SELECT
    counted.*,
    CAST(negatives AS DOUBLE PRECISION) / NULLIF(negatives + neutrals + positives, 0) AS negative_share
FROM counted
