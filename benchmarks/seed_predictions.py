"""Fill a PostgreSQL with made-up predictions and feedback, to measure what figures cost.

    python -m benchmarks.seed_predictions --rows 10000000 --database postgresql://…

It refuses a database that has predictions already: made-up ones never mix with real ones.
"""

import argparse
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import django

# Made by PostgreSQL itself. A site with a busy and a quiet half of each day: times lie evenly in
# [0, 1), moved by a sine. Latencies are log-normal, confidence and novelty skewed as in life.
_PREDICTIONS = """
INSERT INTO classifier_prediction (
    id, created_at, person, version_id, answer, label, confidence, probabilities, novelty,
    photo_sha256, photo_format, photo_width, photo_height, photo_bytes, photo_is_kept, keep_until,
    decode_ms, inference_ms, total_ms
)
SELECT
    (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || substr(hash, 1, 3)
        || '8' || substr(hash, 4, 15))::uuid,
    at, 'visitor:' || (i %% 100000), %(version)s,
    CASE WHEN novelty > 0.5 THEN 'neither' WHEN confidence < 0.82 THEN 'unsure' ELSE label END,
    label, confidence,
    CASE label
        WHEN 'cat' THEN jsonb_build_object('cat', confidence, 'dog', 1 - confidence)
        ELSE jsonb_build_object('dog', confidence, 'cat', 1 - confidence) END,
    novelty, hash || md5(hash), format, width, width * 3 / 4, width * width / 6, true,
    CASE WHEN i %% 100 = 0 THEN NULL ELSE at + interval '30 days' END,
    decode, inference, decode + inference + 3 + 4 * random()
FROM (
    SELECT
        i, md5(i::text || %(version)s) AS hash,
        %(since)s::timestamptz + %(days)s * interval '1 day'
            * greatest(0, least(0.9999999, place + sin(place * 6.2831853 * %(days)s)
                / (6.2831853 * %(days)s) * 0.8)) AS at,
        CASE WHEN random() < 0.52 THEN 'cat' ELSE 'dog' END AS label,
        1 - 0.5 * power(random(), 14) AS confidence,
        power(random(), 9) AS novelty,
        (ARRAY['JPEG','JPEG','JPEG','JPEG','HEIC','PNG','WEBP'])[1 + floor(random() * 7)::int]
            AS format,
        (400 * exp(1.2 * random() + random()))::int AS width,
        6 * exp(0.8 * random() * random()) AS decode,
        12 * exp(0.35 * sqrt(-2 * ln(1 - random())) * cos(6.2831853 * random())) AS inference
    FROM (SELECT i, (i + random()) / %(rows)s AS place FROM generate_series(0, %(rows)s - 1) AS i)
        AS places
) AS made
"""
_FEEDBACK = """
INSERT INTO feedback_feedback (
    id, prediction_id, person, label, agrees, comment, consent, created_at, updated_at
)
SELECT gen_random_uuid(), id, person, CASE WHEN agrees THEN label ELSE '' END, agrees, '',
    keep_until IS NULL, created_at + interval '20 seconds', created_at + interval '20 seconds'
FROM (
    SELECT *, random() < confidence - 0.05 AS agrees FROM classifier_prediction
    WHERE get_byte(uuid_send(id), 15) < %(of_256)s OR keep_until IS NULL
) AS judged
"""


def main() -> None:
    options = _options()
    os.environ["DATABASE_URL"] = options.database
    os.environ["DJANGO_SETTINGS_MODULE"] = "catsdogs.settings"
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    call_command("register_models", verbosity=0)
    seed(options.rows, options.days)
    started = time.perf_counter()
    call_command("roll_up")
    print(f"Summed up in {time.perf_counter() - started:.0f} s")


def seed(rows: int, days: int) -> None:
    """Make predictions over the days until now, and feedback on some 3 % of them."""
    from django.db import connection
    from django.utils import timezone

    from classifier.models import ModelVersion, Prediction

    if connection.vendor != "postgresql":
        sys.exit("This makes its rows in PostgreSQL. Give --database a postgresql:// address.")
    if Prediction.objects.exists():
        sys.exit("There are predictions already. Give --database an empty database.")
    since = timezone.now() - timedelta(days=days)
    values = {
        "rows": rows,
        "days": days,
        "since": since,
        "version": ModelVersion.objects.live().get().name,
        "of_256": 8,
    }
    with connection.cursor() as cursor, _bare_tables(cursor):
        cursor.execute("SELECT setseed(0.5)")
        for statement in (_PREDICTIONS, _FEEDBACK):
            started = time.perf_counter()
            cursor.execute(statement, values)
            print(f"{cursor.rowcount:,} rows in {time.perf_counter() - started:.0f} s", flush=True)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


@contextmanager
def _bare_tables(cursor: Any) -> Iterator[None]:
    """Without triggers and, of the big table, without the indexes that can be made afterwards."""
    tables = ("classifier_prediction", "feedback_feedback")
    cursor.execute(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'classifier_prediction' "
        "AND indexdef NOT LIKE 'CREATE UNIQUE%'"
    )
    indexes = cursor.fetchall()
    for name, _ in indexes:
        cursor.execute(f'DROP INDEX "{name}"')
    for table in tables:
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    yield
    for table in tables:
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    started = time.perf_counter()
    for _, definition in indexes:
        cursor.execute(definition)
    print(f"{len(indexes)} indexes in {time.perf_counter() - started:.0f} s", flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--days", type=int, default=30, help="over which they are spread")
    parser.add_argument("--database", required=True, help="postgresql://…, empty")
    return parser.parse_args()


if __name__ == "__main__":
    main()
