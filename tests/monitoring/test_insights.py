"""Who sees the insights page, of which time, and what htmx and spreadsheets get of it."""

import csv
import io
import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from classifier.models import ModelVersion
from monitoring.plots import PLOTS
from tests.make import make_feedback, make_prediction, make_version
from tests.monitoring.pages import read
from tests.monitoring.rows import NEW, NOW, OLD, Row, some_rows, store

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
ADDRESSES = ["/insights", *(f"/insights/{name}.csv" for name in PLOTS)]


@pytest.mark.parametrize("address", ["/insights", "/insights/latency.csv"])
def test_strangers_are_sent_to_log_in(client, address):
    r = client.get(f"{address}?range=week")

    assert r.status_code == 302
    assert r.url == f"/admin/login/?next={address}%3Frange%3Dweek"


def test_who_is_not_staff_is_sent_to_log_in(client):
    client.force_login(User.objects.create_user("someone"))

    assert client.get("/insights").status_code == 302


def test_htmx_is_told_to_leave_the_page(client):
    r = client.get("/insights", headers={**HTMX, "HX-Current-URL": "http://testserver/insights"})

    assert r.headers["HX-Redirect"] == "/admin/login/?next=/insights"


def test_a_setting_opens_it_to_anybody(client, settings):
    settings.INSIGHTS_OPEN = True

    assert client.get("/insights").status_code == 200
    assert client.get("/insights/latency.csv").status_code == 200


@pytest.mark.parametrize("address", ADDRESSES)
def test_only_reading_is_allowed(admin_client, address):
    assert admin_client.post(address).status_code == 405


def test_it_is_kept_by_no_cache(admin_client):
    assert "no-store" in admin_client.get("/insights").headers["Cache-Control"]


def test_without_any_prediction_each_plot_says_so(admin_client):
    make_version(live=True)

    r = admin_client.get("/insights")

    assert "<svg" not in r.text.partition("<main")[2].replace('<svg class="bar"', "")
    shown = read(r.text)
    assert set(shown.tables) == set(PLOTS)
    for name, (_, *body) in shown.tables.items():
        assert len(body) == 1, name
        assert len(body[0]) == 1, name
    assert shown.tiles["Photos answered"] == ["0"]
    assert shown.tiles["Agreement"] == ["–", "no feedback yet"]


def test_one_prediction_is_shown(admin_client):
    make_feedback(make_prediction(confidence=0.93, version=make_version(live=True)))

    shown = read(admin_client.get("/insights?range=hour").text)

    assert shown.tables["answers"][1:] == [["cat", "1", "100.0 %"]]
    assert shown.tables["calibration"][1][2:5] == ["93.0 %", "1", "1"]
    assert shown.tiles["Photos answered"] == ["1"]


@pytest.mark.parametrize(
    ("asked", "intervals"),
    [
        ("hour", (60, 61)),
        ("day", (24, 25)),
        ("", (24, 25)),
        ("week", (56, 57)),
        ("month", (60, 61)),
    ],
)
def test_each_range_has_its_intervals(admin_client, asked, intervals):
    make_prediction()

    shown = read(admin_client.get("/insights", {"range": asked} if asked else {}).text)

    assert len(shown.tables["predictions"]) - 1 in intervals


def test_the_range_that_is_shown_is_marked(admin_client):
    html = admin_client.get("/insights?range=week").text

    (marked,) = re.findall(r'<a href="([^"]*)" aria-current="true">([^<]*)', html)
    assert marked == ("?range=week", "7 days")


def test_a_time_of_one_s_own(admin_client):
    store([Row(NOW), Row(NOW - timedelta(days=1))])
    asked = {"since": "2025-03-10T12:00", "until": "2025-03-10T13:00"}

    r = admin_client.get("/insights", asked)

    assert read(r.text).tiles["Photos answered"][0] == "1"
    assert 'value="2025-03-10T12:00"' in r.text
    assert 'aria-current="true"' not in r.text


def test_a_time_of_one_s_own_is_of_the_site_s_zone(admin_client, settings):
    settings.TIME_ZONE = "Asia/Tokyo"
    store([Row(NOW)])

    r = admin_client.get("/insights", {"since": "2025-03-10T21:00", "until": "2025-03-10T22:00"})

    assert read(r.text).tiles["Photos answered"][0] == "1"


def test_one_version(admin_client):
    rows = some_rows()
    store(rows)
    asked = {"since": "2025-03-08T12:00", "until": "2025-03-10T13:00", "version": OLD}

    r = admin_client.get("/insights", asked)

    expected = sum(row.version == OLD for row in rows)
    assert read(r.text).tiles["Photos answered"][0] == str(expected)
    assert f"Version {OLD}" in r.text
    assert f"Version {NEW}" not in r.text
    assert (
        f"latency.csv?since=2025-03-08T12%3A00&amp;until=2025-03-10T13%3A00&amp;version={OLD}"
        in r.text
    )


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"range": "century"}, "Select a valid choice"),
        ({"version": "nowhere"}, "There is no such version"),
        ({"since": "yesterday"}, "Enter a valid date/time"),
        ({"since": "2025-03-10T12:00", "until": "2025-03-10T12:00"}, "ends before it begins"),
        ({"since": "1981-10-14T09:00"}, "at most 366 days"),
        ({"since": "2999-01-01T00:00"}, "began in the past"),
        ({"until": "0001-01-01T00:00"}, "from 1971 to 2999"),
        ({"version": "\x00"}, "Null characters are not allowed"),
    ],
)  # fmt: skip
def test_what_cannot_be_shown_is_said_and_the_last_day_shown(admin_client, asked, words):
    make_prediction()

    r = admin_client.get("/insights", asked)

    assert r.status_code == 422
    assert words in r.text
    assert read(r.text).tiles["Photos answered"][0] == "1"
    assert admin_client.get("/insights/latency.csv", asked).status_code == 422


def test_what_a_label_is_called_becomes_no_markup(admin_client):
    make_prediction(answer="<script>alert(1)</script>")

    r = admin_client.get("/insights")

    assert "<script>alert" not in r.text
    assert read(r.text).tables["answers"][1][0] == "<script>alert(1)</script>"


def test_nothing_on_the_page_needs_an_inline_style_or_script(admin_client):
    make_feedback(make_prediction())

    r = admin_client.get("/insights")

    assert " style=" not in r.text
    assert " onclick" not in r.text


def test_every_id_is_there_once(admin_client):
    make_feedback(make_prediction())

    ids = read(admin_client.get("/insights").text).ids

    assert len(ids) == len(set(ids))


def test_a_refresh_brings_only_what_has_changed(admin_client):
    store([Row(NOW, opinions=[True])])
    asked = {"since": "2025-03-10T12:00", "until": "2025-03-10T13:00"}
    page = admin_client.get("/insights", asked)
    had = re.findall(r'name="had" value="(\w+)"', page.text)

    nothing = admin_client.get("/insights", {**asked, "had": had}, headers=HTMX)
    store([Row(NOW - timedelta(minutes=3), format="PNG")])
    something = admin_client.get("/insights", {**asked, "had": had}, headers=HTMX)

    assert len(had) == len(PLOTS) + 3
    assert set(read(nothing.text).ids) - {"tiles"} == {"when"}
    changed = set(read(something.text).ids)
    assert {"chart-formats", "table-formats", "tiles", "when"} <= changed
    assert not {"chart-agreement", "table-agreement", "chart-refusals", "formats"} & changed
    assert something.text.count('hx-swap-oob="true"') == len(
        [each for each in changed if "-hatch-" not in each]
    )
    assert "<html" not in something.text


def test_refreshing_can_be_paused_and_resumed(admin_client):
    switch = {**HTMX, "HX-Target": "live"}

    paused = admin_client.get("/insights?range=week&live=off", headers=switch).text
    live = admin_client.get("/insights?range=week", headers=switch).text

    assert 'id="live"' in paused
    assert "every 30s" not in paused
    assert 'hx-trigger="every 30s"' in live
    assert 'hx-get="/insights?range=week"' in live
    assert "Photos answered" not in paused + live


@pytest.mark.parametrize("name", PLOTS)
def test_each_plot_has_its_numbers_as_a_file(admin_client, name):
    store(some_rows())
    asked = {"since": "2025-03-08T12:00", "until": "2025-03-10T13:00"}
    head, *body = read(admin_client.get("/insights", asked).text).tables[name]

    r = admin_client.get(f"/insights/{name}.csv", asked)

    assert r.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert r.headers["Content-Disposition"] == f'attachment; filename="catsdogs-{name}.csv"'
    rows = list(csv.reader(io.StringIO(r.text)))
    assert rows[0] == head
    assert len(rows) - 1 == len([row for row in body if len(row) == len(head)])


def test_numbers_in_a_file_are_whole_and_its_times_precise(admin_client):
    store([Row(NOW, total_ms=1234.5678)])

    r = admin_client.get(
        "/insights/latency.csv", {"since": "2025-03-10T12:29", "until": "2025-03-10T12:31"}
    )

    _, first, second = csv.reader(io.StringIO(r.text))
    assert first[:3] == ["2025-03-10T12:29:00+00:00", "0", ""]
    assert second[:3] == ["2025-03-10T12:30:00+00:00", "1", "1234.5678"]


@pytest.mark.parametrize("label", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_spreadsheet_takes_no_label_for_a_formula(admin_client, label):
    make_prediction(answer=label)

    (_, row) = csv.reader(io.StringIO(admin_client.get("/insights/answers.csv").text, newline=""))
    head = next(
        csv.reader(io.StringIO(admin_client.get("/insights/predictions.csv").text, newline=""))
    )

    assert row[0] == f"'{label}"
    assert head[2] == f"'{label}"


def test_there_is_no_file_of_a_plot_that_is_not_there(admin_client):
    assert admin_client.get("/insights/secrets.csv").status_code == 404


def test_the_whole_page_takes_no_more_queries_however_much_there_is(
    admin_client, django_assert_max_num_queries
):
    make_version(live=True)
    now = timezone.now()
    for rows in ([], some_rows(5), some_rows(60, seed=2)):
        for row in rows:
            row.at = now - (NOW - row.at)
        store(rows)
        with django_assert_max_num_queries(105):
            assert admin_client.get("/insights?range=week").status_code == 200


def test_a_screen_reader_is_told_when_the_headline_changes_and_not_of_each_number(admin_client):
    make_version(live=True, created=timezone.now().isoformat())
    page = admin_client.get("/insights")
    had = re.findall(r'name="had" value="(\w+)"', page.text)
    make_prediction(version=ModelVersion.objects.get())

    numbers = read(admin_client.get("/insights", {"had": had}, headers=HTMX).text).ids
    ModelVersion.objects.update(is_live=False)
    headline = read(admin_client.get("/insights", {"had": had}, headers=HTMX).text).ids

    assert "state" in numbers
    assert "headline" not in numbers
    assert "headline" in headline
