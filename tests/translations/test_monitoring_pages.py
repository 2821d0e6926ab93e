"""Nothing on the pages of monitoring and of the admin is English to who reads French."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone

from classifier.models import ApiToken, ModelVersion, RefusalCount, Server
from feedback.consent import remember
from feedback.models import Replay
from monitoring import alerts, noting
from monitoring.incidents import Incident, Silence
from monitoring.judging import evaluate
from monitoring.rules import read_rules
from tests.make import (
    make_feedback,
    make_prediction,
    make_review,
    make_run,
    make_teaching,
    make_version,
)
from tests.monitoring.rows import NOW, some_rows, store
from tests.translations.marking import mark
from tests.translations.reading import bare_words, left_over

pytestmark = pytest.mark.django_db

# What is the same in all languages: names of formats, codes, quantiles, rules, machines, people.
DATA = {
    *read_rules(),
    *("JPEG", "PNG", "HEIC", "broken_image", "p50", "p95", "p99", "ms", "UTC", "CSV", "k", "h"),
    *(
        "made-for-tests",
        "none",
        "centre-crop-bicubic-1",
        "web-1",
        "admin",
        "phone",
        "visitor",
        "user",
        "someone",
        "ada",
    ),
    *("register_models", "slow", "refusals", "agreement", "because", "x"),
}
# Two words beside pictures, which Django's own templates do not translate.
OF_DJANGO = {("<img alt>", "Search"), ("<img alt>", "True"), ("<img alt>", "False")}
_MADE_BY_PROGRAMS = re.compile(r"[0-9a-f-]{32,}|[{\[].*")
LISTS = [
    *("classifier_prediction", "classifier_modelversion", "classifier_promotion"),
    *("classifier_server", "classifier_apitoken", "feedback_feedback", "feedback_review"),
    *("feedback_consent", "feedback_trainingrun", "feedback_replay"),
    *("monitoring_incident", "monitoring_silence"),
]


@pytest.fixture
def reader(admin_client, monkeypatch, settings):
    """Staff whose browser asks for a French in which translations have marks."""
    mark(monkeypatch, "fr")
    settings.INSIGHTS_OPEN = True
    admin_client.defaults["HTTP_ACCEPT_LANGUAGE"] = "fr"
    return admin_client


def english(response):
    """What is said there without having been translated."""
    return [
        (where, text)
        for where, text in bare_words(response.text)
        if (where, text) not in OF_DJANGO
        if not _MADE_BY_PROGRAMS.fullmatch(text)
        if not set(left_over(text)) <= DATA
    ]


@pytest.fixture
def some_of_all(db):
    """Something in every list."""
    now = timezone.now()
    make_version("2025-12-01.1")
    version = make_version(live=True, created=now.isoformat())
    for _ in range(40):
        make_feedback(make_prediction(version=version), correct=False)
    make_review(make_teaching("dog", version=version), "")
    make_review(make_teaching("cat", number=1, version=version), "cat", User.objects.first())
    make_run(state="done", outcome="refused")
    make_run(state="running")
    Replay.objects.create(version=version, last=7)
    remember("visitor:0", may_learn=True)
    Server.objects.create(host="web-1", pid=7, version=version.name, seen_at=now)
    ApiToken.objects.issue("phone")
    RefusalCount.objects.create(
        minute=now.replace(second=0, microsecond=0), code="broken_image", count=400
    )
    for at in (now - timedelta(minutes=2), now):
        noting.note(evaluate(now, database_answers=lambda: True), at)
    until = now + timedelta(hours=1)
    Silence.objects.create(rule="slow", until=until, why="because", by="admin")


@pytest.mark.parametrize("asked", ["", "range=week", "since=yesterday", "version=2025-02-01.1"])
def test_insights_with_photos(reader, asked):
    now = timezone.now()
    rows = some_rows(300)
    for row in rows:
        row.at = now - (NOW - row.at)
    store(rows)
    RefusalCount.objects.create(
        minute=now.replace(second=0, microsecond=0), code="broken_image", count=3
    )

    assert english(reader.get(f"/insights?{asked}")) == []


def test_insights_without_any(reader):
    assert english(reader.get("/insights")) == []


def test_insights_where_much_is_wrong(reader, some_of_all):
    assert english(reader.get("/insights")) == []


def test_the_ml_test_score(reader):
    assert english(reader.get("/ml-test-score")) == []


@pytest.mark.parametrize("name", LISTS)
def test_a_list_of_the_admin(reader, some_of_all, name):
    assert english(reader.get(reverse(f"admin:{name}_changelist"))) == []


@pytest.mark.parametrize("name", LISTS)
def test_a_page_of_the_admin(reader, some_of_all, name):
    found = reader.get(reverse(f"admin:{name}_changelist")).context["cl"].result_list

    assert len(found) > 0
    for each in found[:3]:
        assert english(reader.get(reverse(f"admin:{name}_change", args=[each.pk]))) == []


@pytest.mark.parametrize("address", ["", "classifier/apitoken/add/", "monitoring/silence/add/"])
def test_another_page_of_the_admin(reader, some_of_all, address):
    assert english(reader.get(f"/admin/{address}")) == []


@pytest.mark.parametrize(
    ("name", "action"),
    [
        ("classifier_prediction", "erase"),
        ("classifier_modelversion", "promote"),
        ("classifier_modelversion", "roll_back"),
        ("classifier_apitoken", "revoke"),
        ("feedback_feedback", "approve"),
        ("feedback_feedback", "leave_out"),
        ("feedback_review", "put_back"),
    ],
)
def test_what_an_action_of_the_admin_answers(reader, some_of_all, name, action):
    address = reverse(f"admin:{name}_changelist")
    chosen = [str(each.pk) for each in reader.get(address).context["cl"].result_list[:3]]

    page = reader.post(address, {"action": action, "_selected_action": chosen}, follow=True)

    assert page.status_code == 200
    assert english(page) == []


@pytest.mark.parametrize(("action", "chosen"), [("promote", "2025-12-01.1"), ("roll_back", "")])
def test_why_no_other_version_goes_live(reader, some_of_all, action, chosen):
    version = chosen or ModelVersion.objects.live().get().name
    asked = {"action": action, "_selected_action": [version]}

    page = reader.post("/admin/classifier/modelversion/", asked, follow=True)

    assert "messagelist" in page.text
    assert english(page) == []


def test_an_incident_is_kept_in_french_too(some_of_all, monkeypatch):
    Incident.objects.all().delete()
    mark(monkeypatch, "fr")

    alerts.check(timezone.now() + timedelta(minutes=1), database_answers=lambda: True)

    said = [words for each in Incident.objects.all() for words in each.translations["fr"].values()]
    assert len(said) >= 3
    assert [words for words in said if not set(left_over(words)) <= DATA] == []
