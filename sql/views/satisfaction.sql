-- satisfaction: one row per month x source x channel x country x product that has feedback. What customers rate beside what
-- they write.
--
-- How ratings are told apart: a rating of up to 5 on a review or in social media is stars. A rating on any other channel is the
-- answer to a question: out of 10 it is "would you recommend us?" (NPS), on any other scale "were you satisfied?" (CSAT).
--
--   month             first day of the month (UTC)
--   source, channel, country, product   of the feedback; country and product may be NULL
--   feedback          all feedback, with and without words or rating
--   star_ratings      ratings in stars
--   stars             their mean, 1 to 5
--   nps_answers       answers from 0 to 10
--   promoters, detractors   answers of 9 or 10, and of 0 to 6
--   nps               net promoter score: 100 * (promoters - detractors) / nps_answers, -100 to 100
--   csat_answers      answers on any other scale
--   satisfied         those in the best fifth of the scale: 4 and 5 of 5, 3 of 3, 1 of 1
--   csat              satisfied / csat_answers, 0 to 1
--   texts             texts judged by the model, with or without a rating
--   negative_share    share of them that is negative, 0 to 1
--   net_sentiment     share positive minus share negative, -1 to 1
--
-- A mean or share of nothing is NULL. Over several rows, weigh means and shares by their counts.
--
-- Example: NPS of each country, by month
--   SELECT month, country, 100.0 * SUM(promoters - detractors) / SUM(nps_answers) AS nps FROM satisfaction
--   GROUP BY month, country HAVING SUM(nps_answers) > 0 ORDER BY month, country;

WITH rated AS (
    SELECT
        CAST(date_trunc('month', day) AS DATE) AS month,
        source,
        channel,
        country,
        product,
        rating,
        rating_max,
        CASE
            WHEN rating IS NULL OR rating_max IS NULL THEN NULL
            WHEN channel IN ('review', 'social') THEN CASE WHEN rating_max = 5 THEN 'stars' END
            WHEN rating_max = 10 THEN 'nps'
            ELSE 'csat'
        END AS scale,
        CASE WHEN has_text THEN sentiment END AS sentiment
    FROM feedback_scored
),

counted AS (
    SELECT
        month,
        source,
        channel,
        country,
        product,
        COUNT(*) AS feedback,
        COUNT(*) FILTER (WHERE scale = 'stars') AS star_ratings,
        AVG(rating) FILTER (WHERE scale = 'stars') AS stars,
        COUNT(*) FILTER (WHERE scale = 'nps') AS nps_answers,
        COUNT(*) FILTER (WHERE scale = 'nps' AND rating >= 9) AS promoters,
        COUNT(*) FILTER (WHERE scale = 'nps' AND rating <= 6) AS detractors,
        COUNT(*) FILTER (WHERE scale = 'csat') AS csat_answers,
        COUNT(*) FILTER (WHERE scale = 'csat' AND rating >= 0.8 * rating_max) AS satisfied,
        COUNT(sentiment) AS texts,
        COUNT(*) FILTER (WHERE sentiment = 'negative') AS negatives,
        COUNT(*) FILTER (WHERE sentiment = 'positive') AS positives
    FROM rated
    GROUP BY month, source, channel, country, product
)

SELECT
    month,
    source,
    channel,
    country,
    product,
    feedback,
    star_ratings,
    stars,
    nps_answers,
    promoters,
    detractors,
    CAST(100 * (promoters - detractors) AS DOUBLE PRECISION) / NULLIF(nps_answers, 0) AS nps,
    csat_answers,
    satisfied,
    CAST(satisfied AS DOUBLE PRECISION) / NULLIF(csat_answers, 0) AS csat,
    texts,
    CAST(negatives AS DOUBLE PRECISION) / NULLIF(texts, 0) AS negative_share,
    CAST(positives - negatives AS DOUBLE PRECISION) / NULLIF(texts, 0) AS net_sentiment
FROM counted
