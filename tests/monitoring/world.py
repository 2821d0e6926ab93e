"""People who send photos day and night, by a clock of their own; and what may go wrong."""

import random
from datetime import UTC, datetime, timedelta

from classifier.models import Prediction, RefusalCount
from feedback.models import Feedback
from tests.make import make_version

VERSION = "2025-02-01.1"
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
# A Wednesday afternoon.
AFTERNOON = datetime(2025, 3, 12, 14, tzinfo=UTC)

_SIZES = [(4032, 3024), (3000, 2000), (1920, 1080), (800, 600), (640, 480)]


def by_daylight(at):
    """Photos an hour: few at night, most in the afternoon, more at weekends."""
    day = 130 if 8 <= at.hour < 22 else 12
    return day * (1.5 if at.weekday() >= 5 else 1.0)


class World:
    """What happens, written into the database; the same one for the same seed."""

    def __init__(self, monkeypatch, seed=1):
        # Rows are given the time at which they would have been made.
        for model in (Prediction, Feedback):
            field = model._meta.get_field("created_at")
            monkeypatch.setattr(field, "auto_now_add", False)
        self.draw = random.Random(seed)
        self.serial = 0
        self.version = make_version(VERSION, live=True, created="2025-02-01T00:00:00+00:00")

    def people(self, begin, end, per_hour=300, *, alter=None, agree=0.94, opinions=0.1):
        """They send photos, of which a few are refused, and say what they think of some answers.

        Args:
            begin: From when.
            end: Until when.
            per_hour: How many an hour, or a function of the time.
            alter: Called with each prediction, to make it another one.
            agree: The share of opinions that agree.
            opinions: The share of predictions that have one.
        """
        made = []
        at = begin
        while at < end:
            rate = per_hour(at) if callable(per_hour) else per_hour
            made.append(self._prediction(at))
            if alter:
                alter(made[-1], self.draw)
            at += timedelta(seconds=self.draw.expovariate(rate / 3600))
        Prediction.objects.bulk_create(made, batch_size=500)
        judged = [each for each in made if self.draw.random() < opinions]
        Feedback.objects.bulk_create(map(lambda each: self._opinion(each, agree), judged))
        self.refused(begin, end, len(made) // 50)

    def refused(self, begin, end, count, code="broken_image"):
        """Photos that got no answer, spread over the minutes."""
        minutes = max(int((end - begin) / MINUTE), 1)
        by_minute = {}
        for _ in range(count):
            minute = begin.replace(second=0) + self.draw.randrange(minutes) * MINUTE
            by_minute[minute] = by_minute.get(minute, 0) + 1
        for minute, number in by_minute.items():
            row, _ = RefusalCount.objects.get_or_create(
                minute=minute, code=code, defaults={"count": 0}
            )
            row.count += number
            row.save()

    def _prediction(self, at):
        draw = self.draw
        self.serial += 1
        label = draw.choice(["cat", "dog"])
        confidence = 1 - 0.45 * draw.random() ** 6
        novelty = min(draw.betavariate(2, 12), 1.0)
        answer = "neither" if novelty > 0.42 else "unsure" if confidence < 0.8 else label
        width, height = draw.choice(_SIZES)
        inference = draw.lognormvariate(3.0, 0.3)
        return Prediction(
            created_at=at,
            version=self.version,
            person=f"visitor:{self.serial % 97}",
            answer=answer,
            label=label,
            confidence=confidence,
            probabilities={label: confidence},
            novelty=novelty,
            photo_sha256=f"{self.serial:064x}",
            photo_format=draw.choices(["JPEG", "HEIC", "PNG"], [80, 15, 5])[0],
            photo_width=width,
            photo_height=height,
            photo_bytes=int(width * height * draw.uniform(0.1, 0.3)),
            photo_is_kept=False,
            decode_ms=5.0,
            inference_ms=inference,
            total_ms=inference + draw.lognormvariate(3.2, 0.5),
        )

    def _opinion(self, prediction, agree):
        agrees = self.draw.random() < agree
        return Feedback(
            created_at=prediction.created_at,
            prediction=prediction,
            person=prediction.person,
            label=prediction.label if agrees else "",
            agrees=agrees,
        )


def slow(prediction, draw):
    """The machine is busy with something else."""
    prediction.inference_ms *= 40
    prediction.total_ms *= 40


def dark(prediction, draw):
    """The camera sees next to nothing: its photos are small, strange and less sure."""
    prediction.photo_bytes //= 6
    prediction.novelty = min(prediction.novelty + 0.2, 1.0)
    prediction.confidence = max(prediction.confidence - 0.15, 0.5)


def a_dog(prediction, draw):
    prediction.label = "dog"
    if prediction.answer == "cat":
        prediction.answer = "dog"


def a_stranger(prediction, draw):
    """Neither cats nor dogs, as the version sees at once."""
    prediction.answer = "neither"
