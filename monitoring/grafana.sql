-- What Grafana may ask: monitoring.figures, once more in SQL. tests/grafana/ holds both together.
-- manage.py grafana_role puts these functions into a schema of their own, anew each time, and lets
-- a role execute them that may read no table. They are run with the rights of their owner, so each
-- hands out counts, times and names of versions only: no photo, no person, no comment.
--
-- `since` belongs to a period and `until` does not. `at` is the beginning of the interval of length
-- `step`; without a step, all of the period is one. `of_version` is one version; null is all.
-- Functions, not views: a view would stand in the way of migrations of the tables it is made of.

-- The interval that a time falls into: monitoring.counting.Bucket.
CREATE FUNCTION catsdogs_figures.bucket(at timestamptz, step interval, since timestamptz)
RETURNS timestamptz LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN step IS NULL THEN since ELSE to_timestamp(
    floor(date_part('epoch', at) / date_part('epoch', step)) * date_part('epoch', step)) END
$$;

-- 95 % interval of a share: ml.scores.wilson_interval; of none, there is no interval.
CREATE FUNCTION catsdogs_figures.wilson_low(part numeric, count numeric)
RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
  SELECT greatest(0.0, (s + z * z / (2 * n) - z * sqrt(s * (1 - s) / n + z * z / (4 * n * n)))
    / (1 + z * z / n))
  FROM (SELECT 1.959964::float8 AS z, nullif(count, 0)::float8 AS n, (part / nullif(count, 0))::float8 AS s) AS w
  WHERE s IS NOT NULL
$$;

CREATE FUNCTION catsdogs_figures.wilson_high(part numeric, count numeric)
RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
  SELECT least(1.0, (s + z * z / (2 * n) + z * sqrt(s * (1 - s) / n + z * z / (4 * n * n)))
    / (1 + z * z / n))
  FROM (SELECT 1.959964::float8 AS z, nullif(count, 0)::float8 AS n, (part / nullif(count, 0))::float8 AS s) AS w
  WHERE s IS NOT NULL
$$;

-- The bin of a measure's value, and a bin's lower edge: monitoring.bins.
CREATE FUNCTION catsdogs_figures.bin_of(measure text, value float8)
RETURNS smallint LANGUAGE sql IMMUTABLE AS $$
  SELECT (CASE
    WHEN measure = 'confidence' AND value >= 0.99 THEN 99 + greatest(0, least(10,
      floor(ln((1 - 0.99::float8) / greatest(1 - value, 1e-6)) / ln(2::float8) + 1e-9)))
    WHEN measure = 'confidence' THEN floor(value * 100 + 1e-9)
    WHEN measure = 'novelty' THEN least(99, floor(value * 100 + 1e-9))
    WHEN measure IN ('inference_ms', 'total_ms')
      THEN floor(ln(greatest(value, 0.01)) / ln(1.04::float8) + 1e-9)
    ELSE floor(ln(greatest(value, 1)) / ln(2::float8 ^ 0.25) + 1e-9)
  END)::smallint
$$;

CREATE FUNCTION catsdogs_figures.edge(measure text, bin bigint)
RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE
    WHEN measure = 'confidence' AND bin > 99 THEN 1 - 0.01 / 2::float8 ^ (bin - 99)
    WHEN measure IN ('confidence', 'novelty') THEN bin / 100::float8
    WHEN measure IN ('inference_ms', 'total_ms') THEN 1.04::float8 ^ bin
    ELSE (2::float8 ^ 0.25) ^ bin
  END
$$;

-- Which stretches of a period are in the sums, and which are read from the rows:
-- monitoring.counting.reach. Hours that changed since they were summed up are read from the rows.
CREATE FUNCTION catsdogs_figures.stretches(since timestamptz, until timestamptz, step interval)
RETURNS TABLE (begins timestamptz, ends timestamptz, is_summed boolean)
LANGUAGE sql STABLE ROWS 3 SECURITY DEFINER SET search_path FROM CURRENT AS $$
  WITH hours AS (
    SELECT
      date_trunc('hour', since + interval '1 hour' - interval '1 microsecond', 'UTC') AS first,
      least(
        date_trunc('hour', until, 'UTC'),
        coalesce((SELECT max(rolled_until) FROM monitoring_rollup), since)) AS last
    WHERE step IS NULL OR extract(epoch FROM step) % 3600 = 0
  ), whole AS (
    SELECT first, last FROM hours WHERE first < last
  ), touched AS (
    SELECT DISTINCT hour, last FROM monitoring_touchedhour, whole WHERE hour >= first AND hour < last
  ), summed AS (
    SELECT s.begins, lead(s.begins - interval '1 hour', 1, s.last) OVER (ORDER BY s.begins) AS ends
    FROM (
      SELECT first AS begins, last FROM whole
      UNION ALL SELECT hour + interval '1 hour', last FROM touched
    ) AS s
  )
  SELECT since, coalesce((SELECT first FROM whole), until), false
  UNION ALL SELECT last, until, false FROM whole
  UNION ALL SELECT hour, hour + interval '1 hour', false FROM touched
  UNION ALL SELECT s.begins, s.ends, true FROM summed AS s WHERE s.begins < s.ends
$$;

-- Predictions, and the sum of their confidence: monitoring.counting.count_answers.
CREATE FUNCTION catsdogs_figures.answers(
  since timestamptz, until timestamptz, step interval DEFAULT NULL, of_version text DEFAULT NULL)
RETURNS TABLE (
  at timestamptz, version text, answer text, label text, format text, count numeric,
  confidence_sum float8)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
  SELECT catsdogs_figures.bucket(e.at, step, since), e.version_id, e.answer, e.label,
    e.photo_format, sum(e.count), sum(e.confidence_sum)
  FROM (
    SELECT h.hour AS at, h.version_id, h.answer, h.label, h.photo_format, h.count, h.confidence_sum
    FROM catsdogs_figures.stretches(since, until, step) AS s
    JOIN monitoring_hourlyanswers AS h ON h.hour >= s.begins AND h.hour < s.ends
    WHERE s.is_summed
    UNION ALL
    SELECT p.created_at, p.version_id, p.answer, p.label, p.photo_format, 1, p.confidence
    FROM catsdogs_figures.stretches(since, until, step) AS s
    JOIN classifier_prediction AS p ON p.created_at >= s.begins AND p.created_at < s.ends
    WHERE NOT s.is_summed
  ) AS e
  WHERE of_version IS NULL OR e.version_id = of_version
  GROUP BY 1, 2, 3, 4, 5
$$;

-- Predictions that have feedback, of all: monitoring.counting.count_with_feedback.
CREATE FUNCTION catsdogs_figures.with_feedback(
  since timestamptz, until timestamptz, of_version text DEFAULT NULL)
RETURNS TABLE (part numeric, count numeric)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
  SELECT coalesce(sum(e.part), 0), coalesce(sum(e.count), 0)
  FROM (
    SELECT h.version_id, h.with_feedback AS part, h.count
    FROM catsdogs_figures.stretches(since, until, NULL) AS s
    JOIN monitoring_hourlyanswers AS h ON h.hour >= s.begins AND h.hour < s.ends
    WHERE s.is_summed
    UNION ALL
    SELECT p.version_id,
      EXISTS (SELECT FROM feedback_feedback AS f WHERE f.prediction_id = p.id)::int, 1
    FROM catsdogs_figures.stretches(since, until, NULL) AS s
    JOIN classifier_prediction AS p ON p.created_at >= s.begins AND p.created_at < s.ends
    WHERE NOT s.is_summed
  ) AS e
  WHERE of_version IS NULL OR e.version_id = of_version
$$;

-- Feedback on the predictions of a period, whenever it was given, by bin of their confidence in 15:
-- monitoring.counting.count_opinions.
CREATE FUNCTION catsdogs_figures.opinions(
  since timestamptz, until timestamptz, step interval DEFAULT NULL, of_version text DEFAULT NULL)
RETURNS TABLE (
  at timestamptz, version text, answer text, bin int, agrees boolean, count numeric,
  confidence_sum float8)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
  SELECT catsdogs_figures.bucket(e.at, step, since), e.version_id, e.answer, e.bin, e.agrees,
    sum(e.count), sum(e.confidence_sum)
  FROM (
    SELECT h.hour AS at, h.version_id, h.answer, h.bin::int, h.agrees, h.count, h.confidence_sum
    FROM catsdogs_figures.stretches(since, until, step) AS s
    JOIN monitoring_hourlyopinions AS h ON h.hour >= s.begins AND h.hour < s.ends
    WHERE s.is_summed
    UNION ALL
    SELECT p.created_at, p.version_id, p.answer,
      least(14, floor(p.confidence * 15 + 1e-9))::int, f.agrees, 1, p.confidence
    FROM catsdogs_figures.stretches(since, until, step) AS s
    JOIN classifier_prediction AS p ON p.created_at >= s.begins AND p.created_at < s.ends
    JOIN feedback_feedback AS f ON f.prediction_id = p.id
    WHERE NOT s.is_summed
  ) AS e
  WHERE of_version IS NULL OR e.version_id = of_version
  GROUP BY 1, 2, 3, 4, 5
$$;

-- Predictions by bin of confidence, novelty, inference_ms, total_ms, pixels or bytes:
-- monitoring.counting.count_bins.
CREATE FUNCTION catsdogs_figures.bins(
  of_measure text, since timestamptz, until timestamptz, step interval DEFAULT NULL,
  of_version text DEFAULT NULL)
RETURNS TABLE (at timestamptz, bin bigint, count numeric)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
  SELECT catsdogs_figures.bucket(e.at, step, since), e.bin, sum(e.count)
  FROM (
    SELECT h.hour AS at, h.version_id, h.bin::bigint, h.count
    FROM catsdogs_figures.stretches(since, until, step) AS s
    JOIN monitoring_hourlybins AS h ON h.hour >= s.begins AND h.hour < s.ends
    WHERE s.is_summed AND h.measure = of_measure
    UNION ALL
    SELECT p.created_at, p.version_id, catsdogs_figures.bin_of(of_measure, CASE of_measure
      WHEN 'confidence' THEN p.confidence
      WHEN 'novelty' THEN p.novelty
      WHEN 'inference_ms' THEN p.inference_ms
      WHEN 'total_ms' THEN p.total_ms
      WHEN 'pixels' THEN p.photo_width::float8 * p.photo_height
      WHEN 'bytes' THEN p.photo_bytes
    END)::bigint, 1
    FROM catsdogs_figures.stretches(since, until, step) AS s
    JOIN classifier_prediction AS p ON p.created_at >= s.begins AND p.created_at < s.ends
    WHERE NOT s.is_summed AND (of_measure <> 'novelty' OR p.novelty IS NOT NULL)
  ) AS e
  WHERE of_version IS NULL OR e.version_id = of_version
  GROUP BY 1, 2
$$;

-- Percentiles of a measure: monitoring.figures.latency, monitoring.bins.percentile. Of milliseconds
-- exact for up to 50 000 predictions; all others come from bins, those of milliseconds good to 2 %.
CREATE FUNCTION catsdogs_figures.percentiles(
  of_measure text, since timestamptz, until timestamptz, step interval DEFAULT NULL,
  of_version text DEFAULT NULL)
RETURNS TABLE (at timestamptz, p50 float8, p95 float8, p99 float8)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
  WITH way AS MATERIALIZED (
    SELECT of_measure IN ('inference_ms', 'total_ms') AND coalesce(sum(a.count), 0) <= 50000 AS is_exact
    FROM catsdogs_figures.answers(since, until, NULL, of_version) AS a
  ), exact AS (
    SELECT catsdogs_figures.bucket(p.created_at, step, since) AS at,
      percentile_cont(array[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY
        CASE of_measure WHEN 'inference_ms' THEN p.inference_ms ELSE p.total_ms END) AS of
    FROM classifier_prediction AS p
    WHERE (SELECT is_exact FROM way) AND p.created_at >= since AND p.created_at < until
      AND (of_version IS NULL OR p.version_id = of_version)
    GROUP BY 1
  ), binned AS (
    SELECT b.at, b.bin, b.count, sum(b.count) OVER (PARTITION BY b.at) AS total,
      sum(b.count) OVER (PARTITION BY b.at ORDER BY b.bin) - b.count AS below
    FROM catsdogs_figures.bins(of_measure, since, until, step, of_version) AS b
    WHERE NOT (SELECT is_exact FROM way)
  ), found AS (
    SELECT b.at, s.share,
      catsdogs_figures.edge(of_measure, b.bin)
      + least((s.share * (b.total - 1) - b.below + 0.5) / b.count, 1)
      * (catsdogs_figures.edge(of_measure, b.bin + 1) - catsdogs_figures.edge(of_measure, b.bin)) AS value
    FROM binned AS b, (VALUES (0.5), (0.95), (0.99)) AS s (share)
    WHERE s.share * (b.total - 1) >= b.below AND s.share * (b.total - 1) < b.below + b.count
  )
  SELECT e.at, e.of[1], e.of[2], e.of[3] FROM exact AS e
  UNION ALL
  SELECT f.at, max(f.value) FILTER (WHERE f.share = 0.5), max(f.value) FILTER (WHERE f.share = 0.95),
    max(f.value) FILTER (WHERE f.share = 0.99)
  FROM found AS f GROUP BY f.at
$$;

-- Photos that got no answer, by cause: monitoring.figures.refusals.
CREATE FUNCTION catsdogs_figures.refusals(
  since timestamptz, until timestamptz, step interval DEFAULT NULL)
RETURNS TABLE (at timestamptz, code text, count numeric)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
  SELECT catsdogs_figures.bucket(r.minute, step, since), r.code, sum(r.count)
  FROM classifier_refusalcount AS r
  WHERE r.minute >= since AND r.minute < until
  GROUP BY 1, 2
$$;

-- The versions: monitoring.figures.model_age of the live one.
CREATE FUNCTION catsdogs_figures.versions()
RETURNS TABLE (
  version text, architecture text, is_live boolean, trained_at timestamptz, promoted_at timestamptz,
  holdout_accuracy float8, withdrawn_photos bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
  SELECT v.name, v.architecture, v.is_live, v.trained_at, v.promoted_at,
    CASE WHEN jsonb_typeof(v.scores -> 'accuracy') = 'number'
      THEN (v.scores ->> 'accuracy')::float8 END,
    v.withdrawn_photos
  FROM classifier_modelversion AS v
$$;

-- Which version took which one's place; who said so stays here.
CREATE FUNCTION catsdogs_figures.promotions(since timestamptz, until timestamptz)
RETURNS TABLE (at timestamptz, version text, previous text, is_rollback boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
  SELECT p.at, p.version_id, p.previous_id, p.is_rollback
  FROM classifier_promotion AS p WHERE p.at >= since AND p.at < until
$$;

-- Feedback by when it was given.
CREATE FUNCTION catsdogs_figures.feedback_given(
  since timestamptz, until timestamptz, step interval DEFAULT NULL, of_version text DEFAULT NULL)
RETURNS TABLE (at timestamptz, agrees boolean, may_learn boolean, count numeric)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
  SELECT catsdogs_figures.bucket(f.created_at, step, since), f.agrees, f.consent, count(*)::numeric
  FROM feedback_feedback AS f
  WHERE f.created_at >= since AND f.created_at < until
    AND (of_version IS NULL OR EXISTS (
      SELECT FROM classifier_prediction AS p
      WHERE p.id = f.prediction_id AND p.version_id = of_version))
  GROUP BY 1, 2, 3
$$;

-- Photos that wait for a reviewer, and since when the first one has: monitoring.figures.review_backlog.
-- As they were written down, but for those that were touched since: monitoring.waiting.
CREATE FUNCTION catsdogs_figures.review_backlog()
RETURNS TABLE (photos numeric, oldest timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
  WITH touched AS MATERIALIZED (SELECT DISTINCT photo_sha256 FROM monitoring_touchedphoto),
  known AS MATERIALIZED (SELECT FROM monitoring_rollup WHERE waiting_is_known)
  SELECT count(*)::numeric, min(w.since)
  FROM (
    SELECT waiting.since
    FROM monitoring_waitingphoto AS waiting
    WHERE EXISTS (SELECT FROM known) AND waiting.photo_sha256 NOT IN (SELECT photo_sha256 FROM touched)
    UNION ALL
    -- One by one, by their indexes: there are few.
    SELECT again.since
    FROM touched CROSS JOIN LATERAL (
      SELECT min(f.created_at) AS since
      FROM classifier_prediction AS p JOIN feedback_feedback AS f ON f.prediction_id = p.id
      WHERE p.photo_sha256 = touched.photo_sha256
        AND f.consent AND p.photo_is_kept AND p.keep_until IS NULL
        AND NOT EXISTS (
          SELECT FROM feedback_review AS r
          WHERE r.photo_sha256 = touched.photo_sha256 AND r.decided_at IS NOT NULL)
    ) AS again
    WHERE EXISTS (SELECT FROM known) AND again.since IS NOT NULL
    UNION ALL
    -- Before the first manage.py roll_up.
    SELECT min(f.created_at)
    FROM feedback_feedback AS f
    JOIN classifier_prediction AS p ON p.id = f.prediction_id
    WHERE NOT EXISTS (SELECT FROM known)
      AND f.consent AND p.photo_is_kept AND p.keep_until IS NULL
      AND NOT EXISTS (
        SELECT FROM feedback_review AS r
        WHERE r.photo_sha256 = p.photo_sha256 AND r.decided_at IS NOT NULL)
    GROUP BY p.photo_sha256
  ) AS w
$$;

-- What reviewers decided; a photo without a label is left out of training.
CREATE FUNCTION catsdogs_figures.reviews(
  since timestamptz, until timestamptz, step interval DEFAULT NULL)
RETURNS TABLE (at timestamptz, label text, count numeric)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
  SELECT catsdogs_figures.bucket(r.decided_at, step, since),
    coalesce(nullif(r.label, ''), 'left out'), count(*)::numeric
  FROM feedback_review AS r
  WHERE r.decided_at >= since AND r.decided_at < until
  GROUP BY 1, 2
$$;

-- Retrainings; their logs, and who asked for them, stay here.
CREATE FUNCTION catsdogs_figures.training_runs(since timestamptz, until timestamptz)
RETURNS TABLE (
  at timestamptz, state text, outcome text, photos bigint, candidate text, seconds float8)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
  SELECT r.created_at, r.state, r.outcome, r.num_photos, r.candidate_id,
    extract(epoch FROM r.finished_at - r.started_at)::float8
  FROM feedback_trainingrun AS r WHERE r.created_at >= since AND r.created_at < until
$$;

-- How far each measure has moved from the version's reference: monitoring.figures.drift. The limit is
-- what chance passes once in a thousand times by the index's known distribution, where figures
-- draw it anew: (1/n + 1/m) χ², by Wilson and Hilferty, and at least 0.1.
-- Source: B. Yurdakul, "Statistical Properties of Population Stability Index", 2018; E. Wilson,
-- M. Hilferty, "The Distribution of Chi-Square", PNAS 17, 1931.
CREATE FUNCTION catsdogs_figures.drift(
  since timestamptz, until timestamptz, of_version text DEFAULT NULL)
RETURNS TABLE (
  version text, measure text, reference text, index float8, alarm_limit float8, photos numeric,
  reference_photos numeric)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
  WITH model AS (
    SELECT v.name, v.scores, v.labels, b.bins, h.bins AS on_holdout,
      CASE WHEN b.until >= since THEN least(b.until + interval '1 microsecond', drift.until)
        ELSE since END AS first
    FROM classifier_modelversion AS v
    LEFT JOIN monitoring_baseline AS b ON b.version_id = v.name
    LEFT JOIN monitoring_holdout AS h ON h.version_id = v.name
    WHERE CASE WHEN of_version IS NULL THEN v.is_live ELSE v.name = of_version END
  ), named AS MATERIALIZED (
    SELECT a.answer, a.format, sum(a.count) AS count
    FROM model AS m, catsdogs_figures.answers(m.first, drift.until, NULL, m.name) AS a GROUP BY 1, 2
  ), lately AS (
    SELECT 'answer' AS measure, n.answer AS bin, sum(n.count) AS count FROM named AS n GROUP BY 2
    UNION ALL
    SELECT 'photo_format', n.format, sum(n.count) FROM named AS n GROUP BY 2
    UNION ALL
    SELECT o.measure, b.bin::text, b.count
    FROM model AS m, (VALUES ('confidence'), ('novelty'), ('pixels'), ('bytes')) AS o (measure),
      catsdogs_figures.bins(o.measure, m.first, drift.until, NULL, m.name) AS b
    WHERE m.bins IS NOT NULL OR m.on_holdout IS NOT NULL
  ), told AS (
    SELECT m.scores, m.labels, (m.scores ->> 'count')::float8 AS count FROM model AS m
    WHERE jsonb_typeof(m.scores -> 'told') = 'object'
      AND jsonb_typeof(m.scores -> 'confusion') = 'object'
      AND coalesce((m.scores ->> 'count')::float8, 0) > 0
  ), before AS (
    SELECT 'baseline' AS reference, of.key AS measure, b.key AS bin, b.value::numeric AS count
    FROM model AS m, jsonb_each(m.bins) AS of, jsonb_each_text(of.value) AS b
    WHERE of.key IN ('answer', 'photo_format', 'confidence', 'novelty', 'pixels', 'bytes')
    UNION ALL
    SELECT 'holdout', of.key, b.key, b.value::numeric
    FROM model AS m, jsonb_each(m.on_holdout) AS of, jsonb_each_text(of.value) AS b
    WHERE of.key IN ('confidence', 'novelty')
    UNION ALL
    SELECT 'holdout', 'answer', l.label, round((t.scores #>> '{told,answered}')::float8 * (
        SELECT sum((row.value ->> l.label)::float8) FROM jsonb_each(t.scores -> 'confusion') AS row
      ) / t.count * t.count)::numeric
    FROM told AS t, jsonb_array_elements_text(t.labels) AS l (label)
    UNION ALL
    SELECT 'holdout', 'answer', w.word,
      round((t.scores -> 'told' ->> w.word)::float8 * t.count)::numeric
    FROM told AS t, (VALUES ('unsure'), ('neither')) AS w (word)
  ), pairs AS (
    SELECT r.reference, r.measure FROM before AS r
    GROUP BY 1, 2
    HAVING sum(r.count) > 0 AND r.measure IN (SELECT l.measure FROM lately AS l)
  ), both_sides AS (
    SELECT p.reference, p.measure, k.bin,
      coalesce((SELECT sum(b.count) FROM before AS b
        WHERE b.reference = p.reference AND b.measure = p.measure AND b.bin = k.bin), 0) AS expected,
      coalesce((SELECT sum(l.count) FROM lately AS l
        WHERE l.measure = p.measure AND l.bin = k.bin), 0) AS actual
    FROM pairs AS p, LATERAL (
      SELECT b.bin FROM before AS b WHERE b.reference = p.reference AND b.measure = p.measure
      UNION SELECT l.bin FROM lately AS l WHERE l.measure = p.measure
    ) AS k
  ), grouped AS (
    -- Neighbouring bins together, a tenth of the reference each: ml.drift.even_groups.
    SELECT g.reference, g.measure, g.group_name, sum(g.expected) AS expected, sum(g.actual) AS actual
    FROM (
      SELECT b.*, CASE WHEN b.measure IN ('answer', 'photo_format') THEN b.bin
        ELSE least(9, floor(((sum(b.expected) OVER ordered - b.expected / 2)
          / greatest(sum(b.expected) OVER (PARTITION BY b.reference, b.measure), 1)) * 10))::text
        END AS group_name
      FROM both_sides AS b
      WINDOW ordered AS (PARTITION BY b.reference, b.measure ORDER BY
        CASE WHEN b.measure IN ('answer', 'photo_format') THEN 0 ELSE b.bin::int END)
    ) AS g
    GROUP BY 1, 2, 3
  ), shares AS (
    SELECT g.reference, g.measure, g.expected, g.actual,
      (g.expected + 0.5)::float8 / (sum(g.expected + 0.5) OVER whole)::float8 AS was,
      (g.actual + 0.5)::float8 / (sum(g.actual + 0.5) OVER whole)::float8 AS now
    FROM grouped AS g WINDOW whole AS (PARTITION BY g.reference, g.measure)
  ), moved AS (
    SELECT s.reference, s.measure, sum((s.now - s.was) * ln(s.now / s.was)) AS index,
      sum(s.actual) AS photos, sum(s.expected) AS reference_photos, greatest(count(*) - 1, 1)::float8 AS k
    FROM shares AS s GROUP BY 1, 2
  )
  SELECT m.name, d.measure, d.reference, d.index,
    greatest(0.1, (1 / d.photos + 1 / d.reference_photos)::float8
      * d.k * (1 - 2 / (9 * d.k) + 3.090232 * sqrt(2 / (9 * d.k))) ^ 3),
    d.photos, d.reference_photos
  FROM moved AS d, model AS m
  WHERE (SELECT sum(n.count) FROM named AS n) >= 50
$$;
