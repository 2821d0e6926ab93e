"""Incidents and silences in the admin; rules that the database itself keeps."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from monitoring.incidents import Incident, Message, Silence

pytestmark = pytest.mark.django_db

NOW = datetime(2025, 3, 10, 12, 30, tzinfo=UTC)
FIELDS = {
    "severity": "warning",
    "title": "Answers are slow",
    "words": "<b>It was 12.</b>",
    "do": "Look.",
    "value": 12,
    "limit": 10,
    "noticed_at": NOW,
    "seen_at": NOW,
}


def test_of_a_rule_one_incident_at_most_is_unfinished():
    Incident.objects.create(rule="slow", **FIELDS)
    Incident.objects.create(rule="slow", over_at=NOW, **FIELDS)

    with pytest.raises(IntegrityError), transaction.atomic():
        Incident.objects.create(rule="slow", **FIELDS)


def test_a_message_exists_once():
    incident = Incident.objects.create(rule="slow", **FIELDS)
    Message.objects.create(incident=incident, kind="begun", channel="mail")

    with pytest.raises(IntegrityError), transaction.atomic():
        Message.objects.create(incident=incident, kind="begun", channel="mail")


def test_the_history_is_read_and_not_written(admin_client):
    incident = Incident.objects.create(rule="slow", opened_at=NOW, over_at=NOW, **FIELDS)
    Message.objects.create(incident=incident, kind="begun", channel="mail", sent_at=NOW)

    listed = admin_client.get("/admin/monitoring/incident/")
    shown = admin_client.get(f"/admin/monitoring/incident/{incident.pk}/change/")

    assert "mail, begun: sent 2025-03-10 12:30" in listed.text
    assert "&lt;b&gt;It was 12.&lt;/b&gt;" in listed.text
    assert shown.status_code == 200
    assert "2025" in shown.text
    assert admin_client.get("/admin/monitoring/incident/add/").status_code == 403
    assert admin_client.post(f"/admin/monitoring/incident/{incident.pk}/delete/").status_code == 403


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, "noticed"),
        ({"opened_at": NOW}, "going on"),
        ({"opened_at": NOW, "over_at": NOW}, "over"),
    ],
)
def test_the_history_names_the_state(admin_client, changes, state):
    Incident.objects.create(rule="slow", **FIELDS, **changes)

    assert (
        f'<td class="field-state">{state}</td>'
        in admin_client.get("/admin/monitoring/incident/").text
    )


def silence(client, **changes):
    fields = {
        "rule": "slow",
        "since_0": "2025-03-10",
        "since_1": "12:00",
        "until_0": "2025-03-10",
        "until_1": "14:00",
        "why": "an upgrade",
    }
    return client.post("/admin/monitoring/silence/add/", {**fields, **changes})


def test_a_silence_notes_who_wanted_it(admin_client):
    assert silence(admin_client).status_code == 302

    made = Silence.objects.get()
    assert (made.rule, made.by, made.why) == ("slow", "admin", "an upgrade")
    listed = admin_client.get("/admin/monitoring/silence/")
    assert "an upgrade" in listed.text


def test_all_rules_can_be_silenced_at_once(admin_client):
    assert silence(admin_client, rule="").status_code == 302
    assert Silence.objects.get().rule == ""


@pytest.mark.parametrize(
    "changes", [{"rule": "slwo"}, {"why": ""}, {"until_1": "11:00"}, {"until_0": ""}]
)
def test_a_silence_that_means_nothing_is_refused(admin_client, changes):
    assert silence(admin_client, **changes).status_code == 200
    assert not Silence.objects.exists()


def test_a_silence_is_in_force_from_its_beginning_until_its_end():
    Silence.objects.create(since=NOW, until=NOW + timedelta(hours=1), why="x", by="me")

    def in_force(after):
        return Silence.objects.in_force(NOW + timedelta(minutes=after)).exists()

    assert [in_force(minutes) for minutes in (-1, 0, 59, 60)] == [False, True, True, False]


def test_visitors_see_neither(client):
    for page in ("incident", "silence"):
        assert client.get(f"/admin/monitoring/{page}/").status_code == 302


def test_an_incident_that_goes_on_shows_how_long(admin_client):
    begun = timezone.now() - timedelta(minutes=7)
    Incident.objects.create(rule="slow", opened_at=begun, **{**FIELDS, "noticed_at": begun})

    assert (
        '<td class="field-minutes">7</td>' in admin_client.get("/admin/monitoring/incident/").text
    )
