"""Every panel shows what `monitoring.figures` says, asked by the role that may read no table."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from classifier.models import ModelVersion
from feedback.models import Feedback, TrainingRun
from monitoring import figures
from tests.grafana.files import panels, targets
from tests.grafana.seed import seed
from tests.monitoring.rows import NEW, NOW


def sql_panels():
    return [(uid, p) for uid, p in panels() if "rawSql" in p["targets"][0]]


def over_time(intervals, *values):
    """Series as Grafana's: what each interval that holds something says."""
    return {each.begin: [value(each) for value in values] for each in intervals}


def as_series(rows, *names):
    return {row["time"]: [row[name] for name in names] for row in rows}


def by_metric(rows):
    return {(row["time"], row["metric"]): float(row["value"]) for row in rows}


def same_series(rows, expected, *names):
    """The rows are the expected intervals but for the empty ones, which have no row."""
    found = as_series(rows, *names)
    assert found
    for begin, values in expected.items():
        if begin in found:
            assert found.pop(begin) == pytest.approx(values), begin
        else:
            assert all(not value for value in values), begin
    assert not found


def same(rows, rel=1e-6, **expected):
    (row,) = rows
    assert {k: float(v) for k, v in row.items()} == pytest.approx(expected, rel=rel)


class Expected:
    """Each method is a panel: its title, in the code's letters. It checks the rows."""

    def __init__(self, period, version):
        self.period, self.version = period, version
        self.answers = figures.answers(period, version)
        self.agreement = figures.agreement(period, version)
        self.accuracy = figures.estimated_accuracy(period, version)

    # Service

    def live_version(self, rows):
        assert rows == [{"version": NEW}]

    def logged_time_per_photo(self, rows):
        self._latency(rows, "total")

    def time_in_the_network(self, rows):
        self._latency(rows, "inference")

    def _latency(self, rows, which):
        expected = over_time(
            figures.latency_over_time(self.period, self.version),
            *(
                lambda each, share=share: getattr(getattr(each.latency, which), share)
                for share in ("p50", "p95", "p99")
            ),
        )
        same_series(rows, expected, "p50", "p95", "p99")

    def predictions(self, rows):
        intervals = figures.answers_over_time(self.period, self.version)
        same_series(rows, over_time(intervals, lambda each: each.answers.count), "predictions")

    def refusals_by_cause(self, rows):
        intervals = figures.refusals_over_time(self.period)
        assert by_metric(rows) == {
            (each.begin, code): count
            for each in intervals
            for code, count in each.refusals.by_code.items()
        }
        assert sum(row["value"] for row in rows) == 11

    def versions(self, rows):
        assert [(row["version"], row["live"]) for row in rows][0] == (NEW, True)
        assert [row["holdout accuracy"] for row in rows] == [0.96, 0.5]

    def database_size(self, rows):
        assert rows[0]["size"] > 1_000_000

    # Model quality

    def agreement_(self, rows):
        same(rows, agreement=self.agreement.overall.share)

    def its_interval_low_and_high(self, rows):
        low, high = self.agreement.overall.interval
        same(rows, low=low, high=high)

    def feedback(self, rows):
        same(rows, feedback=self.agreement.overall.count)

    def estimated_accuracy(self, rows):
        same(rows, estimate=self.accuracy.estimate)

    def confidence_of_what_was_judged(self, rows):
        same(
            rows,
            confidence=self.accuracy.estimate_of_judged,
            agreement=self.accuracy.judged.share,
        )

    def calibration_error(self, rows):
        same(rows, error=figures.calibration(self.period, self.version).error)

    def agreement_over_time(self, rows):
        expected = over_time(
            figures.agreement_over_time(self.period, self.version),
            lambda each: each.agreement.share,
            lambda each: each.agreement.interval and each.agreement.interval[0],
            lambda each: each.agreement.interval and each.agreement.interval[1],
        )
        same_series(rows, expected, "agreement", "low", "high")

    def estimated_accuracy_over_time(self, rows):
        assert rows
        for row in rows[1:-1]:
            hour = figures.Period(row["time"], row["time"] + timedelta(hours=1))
            expected = figures.estimated_accuracy(hour, self.version).estimate
            assert row["estimate"] == pytest.approx(expected)

    def agreement_by_answer(self, rows):
        self._shares(rows, "answer", self.agreement.by_answer)

    def agreement_by_version(self, rows):
        self._shares(rows, "version", self.agreement.by_version)

    def _shares(self, rows, column, expected):
        found = {
            row[column]: [float(row[name]) for name in ("agreement", "low", "high")] for row in rows
        }
        assert found == {
            name: pytest.approx([share.share, *share.interval]) for name, share in expected.items()
        }

    def calibration(self, rows):
        bins = figures.calibration(self.period, self.version).bins
        assert [row["mean confidence"] for row in rows] == pytest.approx(
            [bin.mean_confidence for bin in bins]
        )
        assert [row["agreement"] for row in rows] == pytest.approx([b.right.share for b in bins])

    def confidence(self, rows):
        bars = figures.confidence(self.period, self.version).bars
        expected = {f"{bar.low:.2f}": bar.count for bar in bars if bar.count}
        assert {row["from"]: row["predictions"] for row in rows} == expected

    # Drift and data

    def photos(self, rows):
        same(rows, photos=self.answers.count)

    def measures_beyond_their_limit(self, rows):
        alarms = figures.drift(self.period, self.version).alarms
        same(rows, alarms=len([each for each in alarms if each.reference == "baseline"]))

    def unsure_or_neither(self, rows):
        same(rows, share=self.answers.unsure_or_neither)

    def low_confidence(self, rows):
        same(rows, share=figures.confidence(self.period, self.version).low_share)

    def median_novelty(self, rows):
        same(rows, p50=figures.novelty(self.period, self.version).median)

    def median_photo(self, rows):
        same(rows, pixels=figures.photos(self.period, self.version).median_pixels)

    def drift(self, rows):
        moved = {
            (m.measure, m.reference): m for m in figures.drift(self.period, self.version).moved
        }
        assert {(row["measure"], row["reference"]) for row in rows} == moved.keys()
        for row in rows:
            each = moved[row["measure"], row["reference"]]
            assert row["index"] == pytest.approx(each.index)
            assert row["limit"] == pytest.approx(each.limit, rel=0.2)
            assert (row["photos"], row["reference photos"]) == (each.photos, each.reference_photos)
            assert row["alarm"] == each.is_alarm

    def answers_(self, rows):
        intervals = figures.answers_over_time(self.period, self.version)
        assert by_metric(rows) == {
            (each.begin, answer): count
            for each in intervals
            for answer, count in each.answers.by_answer.items()
        }

    def share_of_unsure_and_neither(self, rows):
        expected = over_time(
            figures.answers_over_time(self.period, self.version),
            lambda each: each.answers.share("unsure"),
            lambda each: each.answers.share("neither"),
        )
        same_series(rows, expected, "unsure", "neither")

    def confidence_over_time(self, rows):
        assert rows
        assert all(0.5 <= row["median"] <= 1 for row in rows)

    def novelty(self, rows):
        self._each_hour(rows, lambda hour: figures.novelty(hour, self.version))

    def _each_hour(self, rows, figure):
        assert rows
        for row in rows[1:-1]:
            hour = figure(figures.Period(row["time"], row["time"] + timedelta(hours=1)))
            assert [row["p50"], row["p95"]] == pytest.approx([hour.median, hour.p95])

    def formats(self, rows):
        expected = figures.photos(self.period, self.version).by_format
        assert {row["format"]: row["predictions"] for row in rows} == expected

    def pixels_per_photo(self, rows):
        self._medians(rows, "median_pixels")

    def bytes_per_photo(self, rows):
        self._medians(rows, "median_bytes")

    def _medians(self, rows, median):
        assert rows
        for row in rows[1:-1]:
            hour = figures.Period(row["time"], row["time"] + timedelta(hours=1))
            expected = getattr(figures.photos(hour, self.version), median)
            assert row["p50"] == pytest.approx(expected)
            assert row["p95"] >= row["p50"]

    # Feedback and review

    def predictions_with_feedback(self, rows):
        same(rows, share=figures.feedback_share(self.period, self.version).predictions.share)

    def feedback_given(self, rows):
        same(rows, feedback=self._given().count())

    def may_be_learnt_from(self, rows):
        given = self._given()
        same(rows, share=given.filter(consent=True).count() / given.count())

    def _given(self):
        given = Feedback.objects.all()
        return given.filter(prediction__version=self.version) if self.version else given

    def photos_to_review(self, rows):
        same(rows, photos=figures.review_backlog().photos)
        assert rows[0]["photos"] == 2

    def oldest_waits_since(self, rows):
        age = timezone.now() - (NOW - timedelta(hours=1))
        same(rows, seconds=age.total_seconds(), rel=1e-5)  # time goes on

    def live_version_trained(self, rows):
        age = figures.model_age().since_training
        same(rows, seconds=age.total_seconds(), rel=1e-5)  # time goes on

    def feedback_by_opinion(self, rows):
        given = self._given()
        hour = (NOW - timedelta(hours=1)).replace(minute=0)
        assert by_metric(rows) == {
            (hour, "right"): given.filter(agrees=True).count(),
            (hour, "wrong"): given.filter(agrees=False).count(),
        }

    def reviews_by_decision(self, rows):
        hour = (NOW - timedelta(hours=3)).replace(minute=0)
        assert by_metric(rows) == {(hour, "cat"): 1, (hour, "left out"): 1}

    def retrainings(self, rows):
        runs = TrainingRun.objects.order_by("-created_at")
        assert [(r["asked"], r["state"], r["photos"], r["seconds"]) for r in rows] == [
            (run.created_at, run.state, 7, 90) for run in runs
        ]

    def promotions(self, rows):
        assert [(row["version"], row["rollback"]) for row in rows] == [(NEW, False)]

    def photos_withdrawn(self, rows):
        live = ModelVersion.objects.live().get()
        same(rows, withdrawn_photos=live.withdrawn_photos)


def name_of(uid, title):
    """The method of `Expected` for a panel; four titles are those of something else, too."""
    name = title.lower().replace(",", "").replace(" ", "_")
    return {
        ("catsdogs-quality", "Agreement"): "agreement_",
        ("catsdogs-drift", "Answers"): "answers_",
        ("catsdogs-drift", "Confidence"): "confidence_over_time",
    }.get((uid, title), name)


def test_every_panel_that_asks_the_database_is_expected_to_say_something():
    expected = {name for name in vars(Expected) if not name.startswith("_")}

    assert {name_of(uid, panel["title"]) for uid, panel in sql_panels()} == expected


@pytest.mark.parametrize("version", [None, NEW])
def test_every_panel_shows_what_the_figures_say(reader, version):
    period = seed()
    assert period.step == timedelta(hours=1)
    expected = Expected(period, version)

    for uid, panel in sql_panels():
        (target,) = panel["targets"]
        rows = reader.ask(target["rawSql"], period, version)
        try:
            getattr(expected, name_of(uid, panel["title"]))(rows)
        except AssertionError as error:
            raise AssertionError(f"{uid}: {panel['title']}: {rows[:3]}") from error


def test_every_panel_opens_on_a_site_that_has_seen_nothing(reader):
    period = figures.Period.last(timedelta(days=7))

    for _, panel in sql_panels():
        for row in reader.ask(panel["targets"][0]["rawSql"], period):
            assert not row.get("predictions"), panel["title"]


@pytest.mark.parametrize("interval", ["1m", "5m", "15m", "1h", "6h", "1d", "7d"])
def test_every_interval_that_can_be_chosen_adds_up(reader, interval):
    period = seed()
    (panel,) = [panel for _, panel in sql_panels() if panel["title"] == "Predictions"]
    rows = reader.ask(panel["targets"][0]["rawSql"], period, interval=interval)

    assert sum(row["predictions"] for row in rows) == figures.answers(period).count


def test_series_are_in_the_order_of_time(reader):
    period = seed()
    asked = [t for t in targets() if t.get("format") == "time_series"]

    assert len(asked) > 10
    for target in asked:
        rows = reader.ask(target["rawSql"], period)
        times = [row["time"] for row in rows]
        assert times == sorted(times), target["rawSql"]
        # Grafana names series by `metric` if there is one value beside it, else by their columns.
        texts = [name for name, value in rows[0].items() if isinstance(value, str)]
        assert texts == [] or list(rows[0]) == ["time", "metric", "value"]


def test_annotations_and_variables_are_found(reader):
    period = seed()
    others = [t for t in targets() if t.get("refId") == "Anno" or "refId" not in t]

    assert len(others) == 8
    assert all(reader.ask(target["rawSql"], period) for target in others)
    assert connection.vendor == "postgresql"
