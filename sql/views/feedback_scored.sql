-- feedback_scored: one row per live feedback (one review, mail, ticket message, survey answer or post that its source still has).
-- Start here. What the source deleted is in no view.
--
--   feedback_id          number of the feedback in this warehouse
--   source               name of the [[source]] in klang.toml that it came from
--   channel              review, email, ticket, survey or social
--   external_id          the vendor's id; a message of a conversation is <thread>/<message>
--   thread_id            the conversation that it belongs to, or NULL
--   author_key           pseudonym of the author: same author, same key
--   product, country     as the source tells them, or NULL (country as ISO 3166: DK, NO, SE)
--   title, text          the customer's words with personal data masked; text is '' for a rating without words
--   rating, rating_max   the rating and the best one possible (5 stars, 10 for NPS), or NULL
--   language             ISO 639-1: da, sv, nb, nn, en, ... or und where there is no language
--   language_source      who said so: platform, detector or uncertain
--   language_confidence  how sure that is, 0 to 1
--   created_at           when the customer wrote it (UTC)
--   updated_at           when the customer last edited it (UTC), or NULL
--   day                  the date of created_at
--   url                  where it can be read at the source, or NULL
--   clean_notes          what was cut and masked, by kind, as JSON
--   has_text             whether there are words to judge; ratings without words belong in no share of sentiment
--   sentiment            negative, neutral or positive; NULL while the feedback waits for scoring
--   p_negative, p_neutral, p_positive   the model's probabilities; they sum to 1
--   model_id             the model that judged it
--   topics               its topics, the most probable first: 'delivery, price'; NULL where it has none
--
-- Scores count for the text as it stands: an edited text has none until it is scored again.
--
-- Example: what unhappy customers in Sweden wrote last
--   SELECT day, source, topics, text FROM feedback_scored
--   WHERE country = 'SE' AND has_text AND sentiment = 'negative' ORDER BY created_at DESC LIMIT 20;

SELECT
    f.feedback_id,
    f.source,
    f.channel,
    f.external_id,
    f.thread_id,
    f.author_key,
    f.product,
    f.country,
    f.title,
    f.text,
    f.rating,
    f.rating_max,
    f.language,
    f.language_source,
    f.language_confidence,
    f.created_at,
    f.updated_at,
    CAST(f.created_at AS DATE) AS day,
    f.url,
    CAST(f.clean_notes AS TEXT) AS clean_notes,
    f.text <> '' OR (f.channel <> 'email' AND COALESCE(f.title, '') <> '') AS has_text,
    s.sentiment,
    s.p_negative,
    s.p_neutral,
    s.p_positive,
    s.model_id,
    (
        SELECT string_agg(t.topic, ', ') OVER (
            ORDER BY t.probability DESC, t.topic ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
        )
        FROM topic AS t
        WHERE t.feedback_id = f.feedback_id AND t.content_hash = f.content_hash AND t.model_id = f.scored_by
        LIMIT 1
    ) AS topics
FROM feedback AS f
LEFT JOIN sentiment AS s
    ON s.feedback_id = f.feedback_id AND s.content_hash = f.content_hash AND s.model_id = f.scored_by
WHERE f.deleted_at IS NULL
