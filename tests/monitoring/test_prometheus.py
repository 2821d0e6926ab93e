"""The rules for Prometheus name what the code counts, do what they say, and end in a mail."""

import json
import re
import shutil
import socket
import subprocess
import threading
import time
from contextlib import contextmanager
from email import message_from_bytes
from email.policy import default as modern
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests
import yaml
from aiosmtpd.controller import Controller

from monitoring import metrics

ROOT = Path(__file__).resolve().parents[2] / "grafana" / "prometheus"
RULES = sorted((ROOT / "rules").glob("*.yml"))
SECONDS = 60


def tool(name):
    """A program of Debian's packages prometheus and prometheus-alertmanager."""
    return shutil.which(name) or pytest.skip(f"no {name} on this machine")


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def rules():
    groups = [group for path in RULES for group in yaml.safe_load(path.read_text())["groups"]]
    return [rule for group in groups for rule in group["rules"]]


def alerts():
    return [rule for rule in rules() if "alert" in rule]


def shown(client, monkeypatch):
    """The names of the series that /metrics shows."""
    stock = metrics.Stock(to_review=0, training_runs={"done": 1})
    monkeypatch.setattr(metrics, "live_versions", lambda: ["1"])
    monkeypatch.setattr(metrics, "take_stock", lambda: stock)
    text = client.get("/metrics").text
    return set(re.findall(r"^(catsdogs_\w+)", text, re.MULTILINE)) | set(
        re.findall(r"^# TYPE (catsdogs_\w+)", text, re.MULTILINE)
    )


def test_every_count_that_a_rule_names_is_one_of_ours(client, engine, monkeypatch):
    from tests.photos import photo_upload

    client.post("/api/predict", {"image": photo_upload()})
    client.get("/")
    named = {name for rule in rules() for name in re.findall(r"catsdogs_\w+", rule["expr"])}

    assert named
    assert named <= shown(client, monkeypatch) | {"catsdogs_workers"}


def test_every_recorded_series_that_a_rule_names_is_recorded():
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    named = {name for rule in rules() for name in re.findall(r"catsdogs:\w+:\w+", rule["expr"])}

    assert named
    assert named <= recorded


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: alert["alert"])
def test_an_alert_says_what_it_means_and_what_to_do(alert):
    assert alert["labels"]["severity"] in ("critical", "warning", "info")
    assert list(alert["annotations"]) == ["summary", "description", "action"]


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: alert["alert"])
def test_every_alert_fires_in_a_simulated_incident(alert):
    incidents = (ROOT / "tests" / "alerts.yml").read_text()

    assert f'alertname="{alert["alert"]}"' in incidents


def test_what_ships_is_valid():
    promtool, amtool = tool("promtool"), tool("amtool")

    run(promtool, "check", "config", str(ROOT / "prometheus.yml"))
    run(promtool, "check", "rules", *map(str, RULES))
    run(amtool, "check-config", str(ROOT / "alertmanager.yml"))


def test_simulated_incidents_fire_what_they_should_and_nothing_else():
    run(tool("promtool"), "test", "rules", *map(str, (ROOT / "tests").glob("*.yml")))


class Site:
    """Something to scrape, whose database can be taken away."""

    def __init__(self):
        self.database_up = 1

        class Handler(BaseHTTPRequestHandler):
            def do_GET(handler):
                text = f"catsdogs_database_up {self.database_up}\ncatsdogs_workers 1\n"
                handler.send_response(200)
                handler.send_header("Content-Type", "text/plain; version=0.0.4")
                handler.end_headers()
                handler.wfile.write(text.encode())

            def log_message(handler, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port


class Inbox:
    """Takes mail by SMTP and keeps it."""

    def __init__(self):
        self.mails = []
        self.has_come = threading.Condition()

    async def handle_DATA(self, server, session, envelope):
        with self.has_come:
            self.mails.append(message_from_bytes(envelope.content, policy=modern))
            self.has_come.notify_all()
        return "250 OK"

    def wait_for(self, number):
        with self.has_come:
            assert self.has_come.wait_for(lambda: len(self.mails) >= number, SECONDS)


@contextmanager
def started(*command, log):
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_ready(port, log):
    pause, began = threading.Event(), time.monotonic()
    while time.monotonic() - began < SECONDS:
        try:
            if requests.get(f"http://127.0.0.1:{port}/-/ready", timeout=5).ok:
                return
        except (requests.ConnectionError, requests.Timeout):
            pass
        pause.wait(0.1)
    raise AssertionError(log.read_text(errors="replace"))


def quicker(text):
    """The rules as they ship, but for how long they wait: a second in place of minutes."""
    found = yaml.safe_load(text)
    for group in found["groups"]:
        group["interval"] = "500ms"
        for rule in group["rules"]:
            if "for" in rule:
                rule["for"] = "1s"
    return yaml.safe_dump(found)


def write_config(folder, *, site, alertmanager, mail):
    """What ships, with ports of this test and no patience."""
    (folder / "rules").mkdir()
    for path in RULES:
        (folder / "rules" / path.name).write_text(quicker(path.read_text()))
    prometheus = yaml.safe_load((ROOT / "prometheus.yml").read_text())
    prometheus["global"] = {"scrape_interval": "500ms", "scrape_timeout": "400ms"}
    prometheus["scrape_configs"][0]["static_configs"][0]["targets"] = [f"127.0.0.1:{site}"]
    managers = prometheus["alerting"]["alertmanagers"][0]["static_configs"]
    managers[0]["targets"] = [f"127.0.0.1:{alertmanager}"]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(prometheus))
    manager = yaml.safe_load((ROOT / "alertmanager.yml").read_text())
    manager["global"]["smtp_smarthost"] = f"127.0.0.1:{mail}"
    manager["route"] |= {"group_wait": "100ms", "group_interval": "1s"}
    # A site that nobody uses says so as well; this test is about one alert.
    manager["route"]["routes"] = [{"matchers": ['alertname != "DatabaseDown"'], "receiver": "none"}]
    manager["receivers"].append({"name": "none"})
    (folder / "alertmanager.yml").write_text(json.dumps(manager))


@pytest.fixture
def inbox():
    inbox = Inbox()
    controller = Controller(inbox, hostname="127.0.0.1", port=free_port())
    controller.start()
    inbox.port = controller.port
    yield inbox
    controller.stop()


@pytest.fixture
def scraped():
    site = Site()
    thread = threading.Thread(target=site.server.serve_forever)
    thread.start()
    yield site
    site.server.shutdown()
    site.server.server_close()
    thread.join()


@pytest.fixture
def watched(tmp_path, scraped, inbox):
    """A real Prometheus and a real Alertmanager that watch a site and write mails."""
    prometheus, manager = tool("prometheus"), tool("prometheus-alertmanager")
    ports = free_port(), free_port()
    write_config(tmp_path, site=scraped.port, alertmanager=ports[1], mail=inbox.port)
    logs = tmp_path / "prometheus.log", tmp_path / "alertmanager.log"
    with (
        started(
            manager,
            f"--config.file={tmp_path}/alertmanager.yml",
            f"--storage.path={tmp_path}/alertmanager",
            f"--web.listen-address=127.0.0.1:{ports[1]}",
            "--cluster.listen-address=",
            log=logs[1],
        ),
        started(
            prometheus,
            f"--config.file={tmp_path}/prometheus.yml",
            f"--storage.tsdb.path={tmp_path}/prometheus",
            f"--web.listen-address=127.0.0.1:{ports[0]}",
            "--rules.alert.resend-delay=1s",
            log=logs[0],
        ),
    ):
        for port, log in zip(ports, logs, strict=True):
            wait_until_ready(port, log)
        yield scraped


def test_a_database_that_goes_away_is_one_mail_and_its_return_another(watched, inbox):
    watched.database_up = 0
    inbox.wait_for(1)
    watched.database_up = 1
    inbox.wait_for(2)

    fired, resolved = inbox.mails
    assert "[FIRING:1]" in fired["Subject"]
    assert "DatabaseDown" in fired["Subject"]
    words = " ".join(fired.get_body(("html",)).get_content().split())
    assert "The database has not answered for a minute." in words
    assert "Is PostgreSQL running" in words
    assert "[RESOLVED]" in resolved["Subject"]
