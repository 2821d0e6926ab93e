"""Each figure against the same figure computed by hand from the rows, summed up or not."""

from collections import Counter
from datetime import timedelta

import numpy as np
import pytest

from ml.scores import bins_of, wilson_interval
from monitoring import figures
from monitoring.figures import sureness, traffic
from monitoring.figures.quality import Share
from monitoring.periods import Period
from tests.monitoring.rows import NEW, NOW, Row, store

pytestmark = pytest.mark.django_db

LABELS = ("cat", "dog")


def within(rows, period, version=None):
    return [
        row
        for row in rows
        if period.since <= row.at < period.until and version in (None, row.version)
    ]


@pytest.fixture(params=[None, NEW], ids=["all versions", "one version"])
def version(request):
    return request.param


def test_answers(rows, period, version):
    chosen = within(rows, period, version)
    expected = Counter(row.answer for row in chosen)

    found = figures.answers(period, version)

    assert found.count == len(chosen) > 5
    assert found.by_answer == expected
    unsure_or_neither = expected["unsure"] + expected["neither"]
    assert found.unsure_or_neither == pytest.approx(unsure_or_neither / len(chosen))
    assert found.label_shares["cat"] == expected["cat"] / (expected["cat"] + expected["dog"])


def test_answers_over_time(rows, period):
    step = timedelta(hours=1)
    expected = {}
    for row in within(rows, period):
        begin = row.at.replace(minute=0, second=0, microsecond=0)
        expected.setdefault(begin, Counter())[row.answer] += 1

    found = figures.answers_over_time(period)

    assert period.step == step
    assert {each.begin: each.answers.by_answer for each in found if each.answers.count} == expected
    begins = [each.begin for each in found]
    assert begins == list(period.intervals)
    assert begins[0] <= period.since < begins[1]
    assert begins[-1] < period.until <= begins[-1] + step


def test_latency_is_exact_for_a_few_predictions(rows, period, version):
    chosen = within(rows, period, version)

    found = figures.latency(period, version)

    assert found.is_exact
    assert found.count == len(chosen)
    for of, field in ((found.inference, "inference_ms"), (found.total, "total_ms")):
        values = [getattr(row, field) for row in chosen]
        assert (of.p50, of.p95, of.p99) == pytest.approx(np.percentile(values, [50, 95, 99]))


def test_latency_of_many_is_within_two_percent(rows, period, monkeypatch):
    exact = figures.latency(period)
    monkeypatch.setattr(traffic, "EXACT_PERCENTILES", 0)

    found = figures.latency(period)

    assert not found.is_exact
    assert found.count == exact.count
    # Of so few values, the exact percentile lies between two; that of the bins is near one of them.
    values = np.sort([row.total_ms for row in within(rows, period)])
    nearest = values[np.abs(values - found.total.p50).argmin()]
    assert found.total.p50 == pytest.approx(nearest, rel=0.02)


@pytest.mark.parametrize("exact_up_to", [0, 1000], ids=["bins", "exact"])
def test_latency_over_time(rows, period, monkeypatch, exact_up_to):
    monkeypatch.setattr(traffic, "EXACT_PERCENTILES", exact_up_to)
    expected = {}
    for row in within(rows, period):
        begin = row.at.replace(minute=0, second=0, microsecond=0)
        expected.setdefault(begin, []).append(row.inference_ms)

    found = figures.latency_over_time(period)

    assert [each.begin for each in found] == list(period.intervals)
    counts = {each.begin: each.latency.count for each in found if each.latency.count}
    assert counts == {begin: len(values) for begin, values in expected.items()}
    for each in found:
        if len(values := expected.get(each.begin, [])) == 1:
            assert each.latency.inference.p95 == pytest.approx(values[0], rel=0.02)
        if not values:
            assert each.latency.inference.p95 is None


def test_confidence(rows, period, version):
    values = [row.confidence for row in within(rows, period, version)]
    counts, _ = np.histogram(values, np.linspace(0, 1, 21))

    found = figures.confidence(period, version)

    assert found.count == len(values)
    assert found.mean == pytest.approx(np.mean(values))
    assert [bar.count for bar in found.bars] == counts.tolist()
    assert found.low_share == np.mean(np.array(values) < sureness.LOW_CONFIDENCE)


def test_novelty(rows, period, version):
    values = [r.novelty for r in within(rows, period, version) if r.novelty is not None]
    counts, _ = np.histogram(values, np.linspace(0, 1, 21))

    found = figures.novelty(period, version)

    assert found.count == len(values)
    assert [bar.count for bar in found.bars] == counts.tolist()
    below = np.sum(np.array(values) <= found.median + 0.01)
    assert below >= len(values) / 2


def test_photos(rows, period, version):
    chosen = within(rows, period, version)

    found = figures.photos(period, version)

    assert found.count == len(chosen)
    assert found.by_format == Counter(row.format for row in chosen)
    for bar in found.bytes:
        inside = [row for row in chosen if bar.low <= row.bytes < bar.high]
        assert len(inside) == bar.count > 0
    for bar in found.pixels:
        inside = [row for row in chosen if bar.low <= row.size[0] * row.size[1] < bar.high]
        assert len(inside) == bar.count > 0


def test_agreement(rows, period, version):
    chosen = within(rows, period, version)
    opinions = [(row, agrees) for row in chosen for agrees in row.opinions]
    right = sum(agrees for _, agrees in opinions)

    found = figures.agreement(period, version)

    assert found.overall == Share(right, len(opinions))
    assert found.overall.interval == wilson_interval(right, len(opinions))
    for by, key in ((found.by_answer, "answer"), (found.by_version, "version")):
        assert set(by) == {getattr(row, key) for row, _ in opinions}
        for name, share in by.items():
            of = [agrees for row, agrees in opinions if getattr(row, key) == name]
            assert share == Share(sum(of), len(of))


def test_agreement_over_time(rows, period):
    expected = {}
    for row in within(rows, period):
        begin = row.at.replace(minute=0, second=0, microsecond=0)
        expected.setdefault(begin, []).extend(row.opinions)

    found = figures.agreement_over_time(period)

    assert [each.begin for each in found] == list(period.intervals)
    for each in found:
        opinions = expected.get(each.begin, [])
        assert each.agreement == Share(sum(opinions), len(opinions))


def test_feedback_share_counts_predictions_and_not_opinions(rows, period, version):
    chosen = within(rows, period, version)

    found = figures.feedback_share(period, version)

    assert found.predictions == Share(sum(bool(row.opinions) for row in chosen), len(chosen))
    assert found.predictions.part < sum(len(row.opinions) for row in chosen)


def test_estimated_accuracy(rows, period, version):
    answered = [row for row in within(rows, period, version) if row.answer in LABELS]
    judged = [(row, agrees) for row in answered for agrees in row.opinions]

    found = figures.estimated_accuracy(period, version)

    assert found.count == len(answered)
    assert found.estimate == pytest.approx(np.mean([row.confidence for row in answered]))
    assert found.judged == Share(sum(agrees for _, agrees in judged), len(judged))
    expected = np.mean([row.confidence for row, _ in judged])
    assert found.estimate_of_judged == pytest.approx(expected)


def test_calibration(rows, period):
    judged = [
        (row.confidence, agrees)
        for row in within(rows, period)
        if row.answer != "neither"
        for agrees in row.opinions
    ]
    confidences = np.array([confidence for confidence, _ in judged])
    agrees = np.array([agrees for _, agrees in judged])
    bins = bins_of(confidences)

    found = figures.calibration(period)

    assert found.count == len(judged)
    assert [round(each.low * 15) for each in found.bins] == sorted(set(bins.tolist()))
    for each in found.bins:
        inside = bins == round(each.low * 15)
        assert each.mean_confidence == pytest.approx(confidences[inside].mean())
        assert each.right == Share(agrees[inside].sum(), inside.sum())
    gaps = [abs(each.mean_confidence - each.right.share) * each.right.count for each in found.bins]
    assert found.error == pytest.approx(sum(gaps) / len(judged))


def test_one_prediction():
    store([Row(NOW - timedelta(minutes=5), confidence=0.93, inference_ms=7.0, opinions=[True])])
    period = Period.last(timedelta(hours=1), until=NOW)

    assert figures.answers(period).by_answer == {"cat": 1}
    assert figures.latency(period).inference == figures.Percentiles(7.0, 7.0, 7.0)
    assert figures.confidence(period).mean == pytest.approx(0.93)
    assert figures.agreement(period).overall.share == 1.0
    assert figures.feedback_share(period).predictions == Share(1, 1)
    assert len(figures.answers_over_time(period)) == 60
    assert sum(each.answers.count for each in figures.answers_over_time(period)) == 1


def test_nothing_gives_honest_empties():
    period = Period.last(timedelta(days=1), until=NOW)

    assert figures.answers(period) == figures.Answers(0, {})
    assert figures.answers(period).unsure_or_neither is None
    assert figures.answers(period).label_shares == {}
    nothing = figures.Percentiles(None, None, None)
    assert figures.latency(period) == figures.Latency(0, nothing, nothing, True)
    assert figures.confidence(period).mean is None
    assert figures.confidence(period).low_share is None
    assert figures.novelty(period).median is None
    assert figures.photos(period).median_bytes is None
    assert figures.agreement(period) == figures.Agreement(Share(0, 0), {}, {})
    assert figures.agreement(period).overall.interval is None
    assert figures.feedback_share(period).predictions.share is None
    assert figures.estimated_accuracy(period).estimate is None
    assert figures.calibration(period) == figures.Calibration((), 0, None)
    assert figures.drift(period) == figures.Drift(None, 0, (), has_baseline=False)


def test_no_time_at_all_is_nothing():
    store([Row(NOW)])

    period = Period(NOW, NOW)

    assert figures.answers(period).count == 0
    assert figures.answers_over_time(period) == ()
    assert figures.agreement_over_time(period) == ()


@pytest.mark.parametrize(
    ("name", "queries"),
    [
        ("answers", 2),
        ("answers_over_time", 2),
        ("latency", 3),
        ("latency_over_time", 3),
        ("confidence", 4),
        ("novelty", 2),
        ("photos", 4),
        ("agreement", 2),
        ("agreement_over_time", 2),
        ("feedback_share", 2),
        ("estimated_accuracy", 4),
        ("calibration", 2),
    ],
)
def test_a_figure_takes_the_same_few_queries(
    rows, period, django_assert_num_queries, name, queries
):
    with django_assert_num_queries(queries):
        getattr(figures, name)(period)
