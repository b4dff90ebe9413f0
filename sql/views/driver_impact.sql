-- driver_impact: one row per topic. How much each topic moved the overall score in the last 28 days of data.
--
-- Score: share of positive texts minus share of negative ones, -1 to 1. "Now" is the newest day with a judged text and the 27
-- days up to it; "before" is the 28 days before that. Nothing depends on today's date.
--
--   topic          the topic, or 'none' for texts without one
--   contribution   what the topic adds to the change; over all rows these sum to change, with nothing left over
--   volume_effect  the part of it that comes of being spoken of more or less than before
--   score_effect   the rest: being spoken of better or worse than before (contribution = volume_effect + score_effect)
--   leave_one_out  score_now minus score_without: what the mentions lift (+) or drag (-) the present score by
--   score_without  the score now without the texts that mention the topic
--   mentions_before, mentions_now   texts that mention the topic in each period
--   texts_before, texts_now         judged texts in each period
--   score_before, score_now         the overall score in each period
--   change                          score_now minus score_before
--
-- How the change is split. Every text has the weight 1, shared equally by those of its topics whose polarity is the sentiment
-- of the text; by all of its topics if none is; and given to 'none' if it has no topic. So "lovely lamp, but it came weeks
-- late", a negative text, counts against delivery alone. A topic's contribution is then
--     sum of weight * (score - score_before) / texts, of the texts now minus of the texts before.
-- The weights of a text sum to 1, so the contributions sum to
--     (score_now - score_before) - (score_before - score_before) = change.
-- Measuring from score_before makes a topic neutral that is only spoken of more, at the usual score. The volume effect is
--     (share of the weight now - share before) * (the topic's score before - score_before).
-- leave_one_out is no split of the change: texts with two topics are left out for both, so it does not sum to anything.
--
-- Worked example, 4 texts before and 4 now:
--     before: + delivery, + delivery, + none, - price     score_before = (3 - 1) / 4 =  0.5
--     now:    - delivery, - delivery, + none, - price     score_now    = (1 - 3) / 4 = -0.5     change = -1
--     delivery  now 2 * (-1 - 0.5) / 4 = -0.75, before 2 * (1 - 0.5) / 4 = 0.25    contribution -1
--     none      now     (1 - 0.5) / 4  = 0.125, before the same                    contribution  0
--     price     now    (-1 - 0.5) / 4 = -0.375, before the same                    contribution  0
--     Without delivery the score now is (1 - 1) / 2 = 0: its leave_one_out is -0.5 - 0 = -0.5.
--
-- Figures that would need a text where there is none are NULL: without earlier texts there is no change to explain.
-- For one source, country or product see driver_impact_by_segment.
--
-- Example: what pulled the score down
--   SELECT topic, contribution, volume_effect, score_effect, leave_one_out FROM driver_impact ORDER BY contribution;

SELECT
    topic,
    contribution,
    volume_effect,
    score_effect,
    leave_one_out,
    score_without,
    mentions_before,
    mentions_now,
    texts_before,
    texts_now,
    score_before,
    score_now,
    change
FROM driver_impact_by_segment
WHERE segment_kind = 'all'
