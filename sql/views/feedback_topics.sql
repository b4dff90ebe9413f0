-- feedback_topics: one row per live feedback and topic that it mentions. Feedback without a topic is not in it.
--
--   feedback_id       the feedback, as in feedback_scored
--   source, channel, country, language, product   of the feedback
--   created_at, day   when the customer wrote it (UTC)
--   topic             what is spoken of: delivery, price, staff, ...
--   probability       how sure the model is that the topic is mentioned, 0 to 1
--   polarity          what is said of this topic: negative, neutral or positive
--   sentiment         of the text as a whole; it may differ: "late again, but the courier was lovely"
--   model_id          the model that judged it
--   title, text, url  the words, and where they can be read at the source
--
-- Example: the complaints about delivery that the model is surest of
--   SELECT day, country, text FROM feedback_topics
--   WHERE topic = 'delivery' AND polarity = 'negative' ORDER BY probability DESC LIMIT 20;

SELECT
    f.feedback_id,
    f.source,
    f.channel,
    f.country,
    f.language,
    f.product,
    f.created_at,
    CAST(f.created_at AS DATE) AS day,
    t.topic,
    t.probability,
    t.polarity,
    s.sentiment,
    s.model_id,
    f.title,
    f.text,
    f.url
FROM feedback AS f
JOIN sentiment AS s
    ON s.feedback_id = f.feedback_id AND s.content_hash = f.content_hash AND s.model_id = f.scored_by
JOIN topic AS t
    ON t.feedback_id = f.feedback_id AND t.content_hash = f.content_hash AND t.model_id = f.scored_by
WHERE f.deleted_at IS NULL AND f.text <> ''
