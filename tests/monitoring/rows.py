"""A small, fixed set of predictions with feedback, to compute figures from by hand."""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from classifier.ids import uuid7
from classifier.models import Prediction
from feedback.models import Feedback
from tests.make import make_version

# A Monday in the past: what is older than some minutes is noted by the database when it changes.
NOW = datetime(2025, 3, 10, 12, 30, tzinfo=UTC)
OLD, NEW = "2025-01-01.1", "2025-02-01.1"


@dataclass
class Row:
    at: datetime
    version: str = NEW
    answer: str = "cat"
    label: str = "cat"
    confidence: float = 0.97
    novelty: float | None = 0.1
    inference_ms: float = 12.0
    total_ms: float = 25.0
    format: str = "JPEG"
    size: tuple[int, int] = (640, 480)
    bytes: int = 50_000
    opinions: list[bool] = field(default_factory=list)


def some_rows(count=60, seed=1):
    """Rows of the last two days, of two versions, with some feedback; always the same ones."""
    draw = random.Random(seed)
    rows = []
    for i in range(count):
        confidence = round(1 - 0.5 * draw.random() ** 3, 4)
        novelty = draw.choice([None, round(draw.random() ** 2, 3)])
        label = draw.choice(["cat", "cat", "dog"])
        answer = "unsure" if confidence < 0.8 else label
        rows.append(
            Row(
                at=NOW - timedelta(minutes=1 + draw.randrange(48 * 60), seconds=draw.random()),
                version=OLD if i % 3 == 0 else NEW,
                answer="neither" if (novelty or 0) > 0.5 else answer,
                label=label,
                confidence=confidence,
                novelty=novelty,
                inference_ms=round(draw.lognormvariate(2.5, 0.4), 3),
                total_ms=round(draw.lognormvariate(3.2, 0.4), 3),
                format=draw.choice(["JPEG", "JPEG", "HEIC"]),
                size=(draw.randrange(200, 4000), draw.randrange(200, 4000)),
                bytes=draw.randrange(5_000, 5_000_000),
                opinions=[draw.random() < 0.7 for _ in range(draw.choice([0, 0, 1, 2]))],
            )
        )
    return rows


def store(rows, person="visitor:someone"):
    """Log the rows; returns the predictions."""
    versions = {name: make_version(name) for name in sorted({row.version for row in rows})}
    predictions = [_prediction(row, versions[row.version], person) for row in rows]
    Prediction.objects.bulk_create(predictions)
    for row, prediction in zip(rows, predictions, strict=True):
        prediction.created_at = row.at  # which the database's clock has set
    Prediction.objects.bulk_update(predictions, ["created_at"])
    Feedback.objects.bulk_create(
        Feedback(
            prediction=prediction,
            person=f"user:{i}",
            label=prediction.label if agrees else "",
            agrees=agrees,
        )
        for row, prediction in zip(rows, predictions, strict=True)
        for i, agrees in enumerate(row.opinions)
    )
    return predictions


def _prediction(row, version, person):
    return Prediction(
        version=version,
        person=person,
        answer=row.answer,
        label=row.label,
        confidence=row.confidence,
        probabilities={row.label: row.confidence},
        novelty=row.novelty,
        photo_sha256=uuid7().hex * 2,
        photo_format=row.format,
        photo_width=row.size[0],
        photo_height=row.size[1],
        photo_bytes=row.bytes,
        decode_ms=1.0,
        inference_ms=row.inference_ms,
        total_ms=row.total_ms,
    )
