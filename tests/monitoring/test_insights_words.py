"""Whether all is well, in words: what the rules find, at once, and a little beyond them."""

from datetime import timedelta

import pytest
from django.utils import timezone

from classifier.models import ModelVersion, RefusalCount
from monitoring import figures, findings
from monitoring.findings import state
from tests.make import make_feedback, make_prediction, make_version
from tests.monitoring.rows import NEW, NOW, Row, store

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def live(name=NEW):
    """A version that is live, and young at `NOW`."""
    make_version(name, created=(NOW - timedelta(days=3)).isoformat(), live=True)


def some(count, at=NOW, **row):
    """Rows of the half hour before a time, of both labels."""
    return [
        Row(at - timedelta(seconds=30 + 1700 * i / count), label=label, answer=label, **row)
        for i, label in enumerate(["cat", "dog"] * (count // 2))
    ]


def titles(now=NOW):
    return [found.title for found in state(now).findings]


def test_a_site_that_nobody_has_asked_yet_is_well():
    live()

    found = state(NOW)

    assert found.is_well
    assert found.headline == "All is well."
    assert found.summary.startswith("No photo was answered in the last 24 hours")


def test_what_is_well_is_said_with_what_it_rests_on():
    live()
    store([*some(60), Row(NOW - HOUR, total_ms=25.0, opinions=[True, False])])

    found = state(NOW)

    assert found.headline == "All is well."
    assert found.summary == (
        "61 photos were answered in the last 24 hours, half of them within 25.0\xa0ms; "
        "50.0\xa0% of 2 opinions say “right”. That is too little to judge the answers by."
    )


def test_one_photo_is_spoken_of_as_one():
    live()
    store([Row(NOW - HOUR, opinions=[True])])

    assert state(NOW).summary.startswith("1 photo was answered")
    assert "100.0\xa0% of 1 opinion says “right”." in state(NOW).summary


def test_without_a_live_version_nothing_is_well():
    found = state(NOW)

    assert found.headline == "Look at this: no version is live."
    assert "promote_model" in found.findings[0].do


def test_slower_than_usual_is_said_long_before_it_is_slow():
    live()
    store([*some(60, total_ms=60.0), *some(60, NOW - 3 * HOUR, total_ms=25.0)])

    (finding,) = state(NOW).findings

    assert finding.title == "Answers are slower than usual"
    assert "60.0\xa0ms in the last hour; in the week before it was 25.0\xa0ms" in finding.words
    assert finding.look == "latency"


@pytest.mark.parametrize(("lately", "usually"), [(30, 60), (60, 30)])
def test_of_few_photos_nothing_is_slower_than_usual(lately, usually):
    live()
    store([*some(lately, total_ms=60.0), *some(usually, NOW - 3 * HOUR, total_ms=25.0)])

    assert state(NOW).is_well


def test_what_is_slow_by_the_rules_is_said_once():
    live()
    rows = [Row(NOW - timedelta(seconds=i), label=n, answer=n, total_ms=3000.0)
            for i, n in enumerate(["cat", "dog"] * 40)]  # fmt: skip
    store([*rows, *some(60, NOW - 3 * HOUR, total_ms=25.0)])

    (finding,) = state(NOW).findings

    assert finding.title == "Answers are slow"
    assert finding.look == "latency"


def test_several_things_are_counted_in_the_headline():
    make_version(NEW, created=(NOW - timedelta(days=800)).isoformat(), live=True)
    store([Row(NOW - timedelta(seconds=i), opinions=[False]) for i in range(120)])
    minute = NOW.replace(second=0) - timedelta(minutes=1)
    RefusalCount.objects.create(minute=minute, code="broken_image", count=200)

    found = state(NOW)

    assert found.headline == f"Look at these {len(found.findings)} things."
    assert {each.look for each in found.findings} == {"refused", "answers", "agreement", ""}


def test_a_slow_database_is_said(monkeypatch):
    live()
    slow = figures.Database(is_up=True, milliseconds=900.0)
    monkeypatch.setattr(figures, "database", lambda: slow)

    assert titles() == ["The database is slow"]


def test_a_database_that_is_away_is_all_that_is_said(monkeypatch):
    monkeypatch.setattr(figures, "database", lambda: figures.Database(False, None))

    assert titles() == ["The database does not answer"]


def test_every_plot_that_a_finding_leads_to_is_there():
    from monitoring.plots import PLOTS

    assert set(findings._PLOTS.values()) <= PLOTS.keys()


def test_the_page_begins_with_it_and_leads_to_the_plot(admin_client):
    make_version(live=True, created=timezone.now().isoformat())
    for _ in range(50):
        make_feedback(make_prediction(version=ModelVersion.objects.get()), correct=False)

    html = admin_client.get("/insights").text

    assert "<h1>Look at this: people disagree with the answers.</h1>" in html
    assert '<a href="#agreement">See the plot</a>' in html
    assert html.index("<h1>") < html.index('id="tiles"')
