"""What /metrics shows of the work done, and to whom."""

import pytest
from django.db import OperationalError
from prometheus_client.parser import text_string_to_metric_families

from catsdogs.networks import read_networks
from classifier import telemetry
from classifier.telemetry import REGISTRY
from feedback.models import TrainingRun
from monitoring import metrics
from tests.make import make_feedback, make_prediction, make_version
from tests.photos import photo_bytes, photo_upload


def value(name, **labels):
    return REGISTRY.get_sample_value(name, labels) or 0.0


@pytest.fixture
def rise():
    """How much a count has risen since it was first asked for."""
    before = {}

    def rise(name, **labels):
        key = (name, *sorted(labels.items()))
        return value(name, **labels) - before.setdefault(key, value(name, **labels))

    return rise


@pytest.fixture
def stock(monkeypatch):
    """What the database says, without the database."""
    stock = metrics.Stock(to_review=3, training_runs={"running": 1, "done": 4})
    monkeypatch.setattr(metrics, "live_versions", lambda: ["v7"])
    monkeypatch.setattr(metrics, "take_stock", lambda: stock)


def scrape(client, **extra):
    response = client.get("/metrics", **extra)
    assert response.status_code == 200, response.text
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }


def test_an_answer_is_counted_by_what_it_says_and_who_said_it(client, engine, rise):
    said = {"answer": "cat", "version": engine.card.version}
    rise("catsdogs_predictions_total", **said)
    rise("catsdogs_inference_seconds_count")
    rise("catsdogs_decode_seconds_count")

    client.post("/api/predict", {"image": photo_upload()})

    assert rise("catsdogs_predictions_total", **said) == 1
    assert rise("catsdogs_inference_seconds_count") == 1
    assert rise("catsdogs_decode_seconds_count") == 1


@pytest.mark.parametrize(
    ("method", "path", "route", "status"),
    [
        ("get", "/", "home", "200"),
        ("get", "/healthz", "healthz", "200"),
        ("post", "/api/predict", "api-predict", "400"),
        ("get", "/nobody/here/1234", "unknown", "404"),
        ("get", "/static/nothing.js", "static", "404"),
        ("get", "/admin/", "admin", "302"),
        ("get", "/favicon.ico", "unnamed", "302"),
    ],
)
def test_a_request_is_counted_by_route_method_and_status(
    client, engine, rise, method, path, route, status
):
    labels = {"route": route, "method": method.upper(), "status": status}
    rise("catsdogs_http_requests_total", **labels)
    rise("catsdogs_http_request_seconds_count", route=route)

    getattr(client, method)(path)

    assert rise("catsdogs_http_requests_total", **labels) == 1
    assert rise("catsdogs_http_request_seconds_count", route=route) == 1


def test_made_up_methods_are_one(client, engine, rise):
    labels = {"route": "home", "method": "other", "status": "405"}
    rise("catsdogs_http_requests_total", **labels)

    for number in range(3):
        client.generic(f"BREW{number}", "/")

    assert rise("catsdogs_http_requests_total", **labels) == 3


def test_feedback_is_counted_by_kind(db, rise):
    prediction = make_prediction()
    for kind in ("right", "wrong"):
        rise("catsdogs_feedback_total", kind=kind)

    make_feedback(prediction, correct=False)

    assert rise("catsdogs_feedback_total", kind="wrong") == 1
    assert rise("catsdogs_feedback_total", kind="right") == 0


def test_whoever_waits_for_a_turn_and_whoever_has_it_is_seen():
    seen = []

    class Turn:
        def __enter__(self):
            seen.append((value("catsdogs_queue_waiting"), value("catsdogs_queue_in_flight")))

        def __exit__(self, *error):
            pass

    with telemetry.counted(Turn()):
        seen.append((value("catsdogs_queue_waiting"), value("catsdogs_queue_in_flight")))

    assert seen == [(1, 0), (0, 1)]
    assert (value("catsdogs_queue_waiting"), value("catsdogs_queue_in_flight")) == (0, 0)


def test_a_network_that_fails_leaves_nothing_in_flight(client, engine):
    engine.failure = FloatingPointError("The network gave nan.")

    client.post("/api/predict", {"image": photo_upload()})

    assert (value("catsdogs_queue_waiting"), value("catsdogs_queue_in_flight")) == (0, 0)


def test_a_worker_names_the_version_it_has_loaded_and_no_other():
    telemetry.version_loaded("old")
    telemetry.version_loaded("new")

    assert value("catsdogs_workers", version="new") == 1
    assert value("catsdogs_workers", version="old") == 0


def test_everything_stands_in_one_text(client, stock):
    shown = scrape(client)

    assert shown[("catsdogs_database_up",)] == 1
    assert shown[("catsdogs_live_version_info", ("version", "v7"))] == 1
    assert shown[("catsdogs_review_backlog",)] == 3
    assert shown[("catsdogs_training_runs", ("state", "running"))] == 1
    assert ("catsdogs_refusals_total", ("code", "broken_image")) in shown
    assert ("catsdogs_queue_waiting",) in shown


@pytest.mark.django_db(transaction=True)
def test_the_stock_is_what_the_database_holds(client):
    version = make_version("v1", live=True)
    photo = make_prediction(version=version)
    make_feedback(photo, correct=False, consent=True)
    make_feedback(make_prediction(version=version), correct=True)
    TrainingRun.objects.create(state="running")

    shown = scrape(client)

    assert shown[("catsdogs_live_version_info", ("version", "v1"))] == 1
    assert shown[("catsdogs_review_backlog",)] == 1
    assert shown[("catsdogs_training_runs", ("state", "running"))] == 1
    assert shown[("catsdogs_training_runs", ("state", "failed"))] == 0


def refuse():
    raise OperationalError("gone")


def test_a_count_that_takes_too_long_is_left_out_and_no_database_away(client, stock, monkeypatch):
    monkeypatch.setattr(metrics, "take_stock", refuse)

    shown = scrape(client)

    assert shown[("catsdogs_database_up",)] == 1
    assert ("catsdogs_review_backlog",) not in shown


def test_without_the_database_the_counts_are_shown_all_the_same(client, monkeypatch):
    monkeypatch.setattr(metrics, "live_versions", refuse)

    shown = scrape(client)

    assert shown[("catsdogs_database_up",)] == 0
    assert ("catsdogs_review_backlog",) not in shown
    assert ("catsdogs_queue_waiting",) in shown


def test_prometheus_2_can_read_it(client, stock):
    assert client.get("/metrics")["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"


TOKEN = "read-the-metrics"


@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("::ffff:127.0.0.1", {}, 200),
        ("203.0.113.7", {}, 403),
        ("", {}, 403),
        ("no address", {}, 403),
        ("203.0.113.7", {"Authorization": f"Bearer {TOKEN}"}, 200),
        ("203.0.113.7", {"Authorization": f"bearer {TOKEN}"}, 200),
        ("203.0.113.7", {"Authorization": "Bearer another"}, 403),
        ("203.0.113.7", {"Authorization": "Bearer "}, 403),
        ("203.0.113.7", {"Authorization": f"Basic {TOKEN}"}, 403),
        # It came through a proxy, which nobody told us of.
        ("127.0.0.1", {"X-Forwarded-For": "203.0.113.7"}, 403),
        ("127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}, 403),
        ("127.0.0.1", {"X-Forwarded-Proto": "https"}, 403),
        ("127.0.0.1", {"X-Real-IP": "203.0.113.7"}, 403),
    ],
)
def test_only_the_token_or_a_near_network_opens_it(
    client, stock, settings, address, headers, status
):
    settings.METRICS_TOKEN = TOKEN

    response = client.get("/metrics", headers=headers, REMOTE_ADDR=address)

    assert response.status_code == status
    assert ("catsdogs_" in response.text) == (status == 200)


def test_without_a_token_set_no_token_opens_it(client, stock, settings):
    settings.METRICS_TOKEN = ""

    for sent in ("Bearer ", "Bearer", "Bearer None"):
        headers = {"Authorization": sent}
        assert client.get("/metrics", headers=headers, REMOTE_ADDR="8.8.8.8").status_code == 403


@pytest.mark.parametrize(
    ("forwarded", "status"),
    [
        ("10.0.0.1", 200),
        ("203.0.113.7", 403),
        ("10.0.0.1, 203.0.113.7", 403),  # what the caller wrote himself counts for nothing
        ("nonsense", 403),
    ],
)
def test_behind_a_counted_proxy_its_word_counts(client, stock, settings, forwarded, status):
    settings.NUM_PROXIES = 1
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "NUM_PROXIES": 1}
    settings.METRICS_NETWORKS = read_networks("CATSDOGS_METRICS_NETWORKS", ["10.0.0.0/8"])

    response = client.get("/metrics", headers={"X-Forwarded-For": forwarded})

    assert response.status_code == status


def test_a_proxy_that_does_not_say_for_whom_it_asks_opens_nothing(client, stock, settings):
    settings.NUM_PROXIES = 1

    assert client.get("/metrics", headers={"X-Forwarded-Proto": "https"}).status_code == 403
    assert client.get("/metrics").status_code == 200  # beside the proxy, on this machine


def test_it_is_only_read(client, stock):
    assert client.post("/metrics").status_code == 405


def test_staff_without_token_or_network_is_refused_too(admin_client, stock):
    assert admin_client.get("/metrics", REMOTE_ADDR="203.0.113.7").status_code == 403


def test_the_photo_of_a_refused_request_is_in_no_label(client, engine, stock):
    client.post("/api/predict", {"image": photo_upload(b"secret words")})
    client.post("/api/predict?name=secret", photo_bytes(), content_type="image/secret")

    assert "secret" not in client.get("/metrics").text
