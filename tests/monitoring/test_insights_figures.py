"""Twenty photos and some feedback: each figure of the page, computed by hand from the rows."""

import math
from collections import Counter
from datetime import timedelta

import numpy as np
import pytest

from classifier.models import Prediction, RefusalCount
from feedback.models import Feedback
from ml.scores import wilson_interval
from tests.monitoring.pages import read
from tests.monitoring.rows import NOW, some_rows, store

pytestmark = pytest.mark.django_db

ASKED = {"since": "2025-03-08T12:00", "until": "2025-03-10T13:00"}


@pytest.fixture
def shown(admin_client):
    """The page of twenty photos of two days, five of them refused besides."""
    store(some_rows(20))
    for minutes, code, count in (
        (5, "broken_image", 3),
        (70, "broken_image", 1),
        (9, "throttled", 1),
    ):
        at = (NOW - timedelta(minutes=minutes)).replace(second=0)
        RefusalCount.objects.create(minute=at, code=code, count=count)
    response = admin_client.get("/insights", ASKED)
    assert response.status_code == 200
    return read(response.text)


@pytest.fixture
def rows():
    return list(Prediction.objects.all())


@pytest.fixture
def opinions():
    return list(Feedback.objects.select_related("prediction"))


def percent(share):
    return f"{100 * share:.1f} %"


def agreement(opinions):
    """The cells of some feedback: how many right, of how many, the share, its interval."""
    right, count = sum(each.agrees for each in opinions), len(opinions)
    low, high = wilson_interval(right, count)
    return [str(right), str(count), percent(right / count), percent(low), percent(high)]


def hour_of(at):
    return f"{at:%a} {at.day} {at:%b, %H}:00"


def test_photos_by_interval_and_answer(shown, rows):
    head, *body = shown.tables["predictions"]
    expected = Counter((hour_of(row.created_at), row.answer) for row in rows)

    assert head == ["Interval from", "Photos", "cat", "dog", "unsure", "neither"]
    assert len(body) == 49
    for begin, total, *counts in body:
        of_hour = [expected[begin, answer] for answer in head[2:]]
        assert [int(count) for count in counts] == of_hour
        assert int(total) == sum(of_hour)
    assert sum(int(row[1]) for row in body) == 20


def test_latency(shown, rows):
    hours = {}
    for row in rows:
        hours.setdefault(hour_of(row.created_at), []).append(row)

    for begin, count, *milliseconds in shown.tables["latency"][1:]:
        inside = hours.get(begin, [])
        assert int(count) == len(inside)
        values = [
            np.percentile([getattr(row, field) for row in inside], quantile) if inside else None
            for field in ("total_ms", "inference_ms")
            for quantile in (50, 95, 99)
        ]
        assert milliseconds == ["–" if v is None else f"{v:.1f} ms" for v in values]


@pytest.mark.parametrize(("name", "field"), [("answers", "answer"), ("formats", "photo_format")])
def test_shares(shown, rows, name, field):
    expected = Counter(getattr(row, field) for row in rows)

    body = shown.tables[name][1:]

    assert {row[0]: row[1:] for row in body} == {
        value: [str(count), percent(count / 20)] for value, count in expected.items()
    }


@pytest.mark.parametrize("name", ["confidence", "novelty"])
def test_histograms(shown, rows, name):
    values = [getattr(row, name) for row in rows if getattr(row, name) is not None]
    counts, _ = np.histogram(values, np.linspace(0, 1, 21))

    assert [int(row[2]) for row in shown.tables[name][1:]] == counts.tolist()


@pytest.mark.parametrize(
    ("name", "of"),
    [
        ("sizes", lambda row: row.photo_width * row.photo_height),
        ("weights", lambda row: row.photo_bytes),
    ],
)
def test_sizes(shown, rows, name, of):
    bins = Counter(math.floor(math.log(of(row)) / math.log(2**0.25) + 1e-9) for row in rows)

    body = shown.tables[name][1:]

    assert [int(row[2]) for row in body] == [bins[bin] for bin in sorted(bins)]
    assert [row[0] for row in body] == [f"{2 ** (bin / 4):,.0f}" for bin in sorted(bins)]


def test_agreement_over_time(shown, opinions):
    # Two days: the intervals of feedback are half a day long.
    halves = {}
    for each in opinions:
        at = each.prediction.created_at
        begin = at.replace(hour=at.hour // 12 * 12, minute=0, second=0, microsecond=0)
        halves.setdefault(begin, []).append(each)

    body = shown.tables["agreement"][1:]

    assert body == [[hour_of(begin), *agreement(halves[begin])] for begin in sorted(halves)]


def test_agreement_by_answer_and_version(shown, opinions):
    expected = {"All feedback": agreement(opinions)}
    for words, of in (
        ("Answered", lambda each: each.prediction.answer),
        ("Version", lambda each: each.prediction.version_id),
    ):
        for name in {of(each) for each in opinions}:
            expected[f"{words} {name}"] = agreement([e for e in opinions if of(e) == name])

    assert {row[0]: row[1:] for row in shown.tables["agreement-by"][1:]} == expected


def test_calibration(shown, opinions):
    bins = {}
    for each in opinions:
        if each.prediction.answer != "neither":
            bins.setdefault(min(int(each.prediction.confidence * 15), 14), []).append(each)

    body = shown.tables["calibration"][1:]

    assert [row[2:] for row in body] == [
        [percent(np.mean([e.prediction.confidence for e in bins[bin]])), *agreement(bins[bin])]
        for bin in sorted(bins)
    ]


def test_refusals(shown):
    assert shown.tables["refusals"][1:] == [
        ["broken_image", "4", "80.0 %"],
        ["throttled", "1", "20.0 %"],
    ]
    body = [row for row in shown.tables["refused"][1:] if row[1] != "0"]
    assert shown.tables["refused"][0] == ["Interval from", "Refused", "broken_image", "throttled"]
    assert body == [["Mon 10 Mar, 11:00", "1", "1", "0"], ["Mon 10 Mar, 12:00", "4", "3", "1"]]


def test_drift_says_how_many_photos_it_would_need(shown):
    assert shown.tables["drift"][1][0].startswith("There are 0 photos to compare, and 50 are")


def test_tiles(shown, rows, opinions):
    total = [row.total_ms for row in rows]
    of_label = [row for row in rows if row.answer in ("cat", "dog")]
    judged = [each for each in opinions if each.prediction.answer in ("cat", "dog")]
    with_feedback = len({each.prediction_id for each in opinions})
    right, count, share, low, high = agreement(opinions)
    p50, p95 = np.percentile(total, [50, 95])
    said = percent(np.mean([each.prediction.confidence for each in judged]))
    were_right = percent(np.mean([each.agrees for each in judged]))

    assert shown.tiles == {
        "Photos answered": ["20", "10 a day"],
        "19 of 20 within": [f"{p95:.1f} ms", f"half within {p50:.1f} ms"],
        "Unsure or neither": [percent(1 - len(of_label) / 20), "of all answers"],
        "Not very sure": [
            percent(np.mean([row.confidence < 0.8 for row in rows])),
            "confidence below 80.0 %",
        ],
        "Agreement": [share, f"{low} to {high} allowing for chance, of {count} opinions"],
        "Estimated accuracy": [
            percent(np.mean([row.confidence for row in of_label])),
            f"by its own confidence; of those judged {said}, and {were_right} were right",
        ],
        "With feedback": [percent(with_feedback / 20), f"{with_feedback} of 20 answered"],
        "To review": ["0", "photos with feedback"],
        "Age of the model": ["–", "none live"],
        "Database": shown.tiles["Database"],
    }
    assert shown.tiles["Database"][0] == "up"
