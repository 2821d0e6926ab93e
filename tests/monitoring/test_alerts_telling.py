"""Who is told, once, through a real mail server and a chat; and what happens when that fails."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from monitoring import alerts, delivering, noting, telling
from monitoring.incidents import Incident, Message, Silence
from monitoring.judging import Finding
from tests.monitoring.sinks import chat_server, mail_server, send_to

NOW = datetime(2025, 3, 10, 12, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def finding(rule="slow", **changes):
    fields = {
        "rule": rule,
        "severity": "warning",
        "title": f"Something is {rule}",
        "words": "It was 12; the limit is 10.",
        "do": "Look at it.",
        "value": 12.0,
        "limit": 10.0,
        "photos": 50,
    }
    return Finding(**{**fields, **changes})


@pytest.fixture
def inbox(settings, tmp_path, db):
    settings.VAR_DIR = tmp_path
    with mail_server() as inbox:
        send_to(settings, inbox)
        yield inbox


class Checks:
    """Checks that find what they are told, a minute apart."""

    def __init__(self):
        self.now = NOW

    def find(self, *findings, times=1):
        for _ in range(times):
            noting.note(list(findings), self.now)
            delivering.deliver(self.now)
            self.now += MINUTE


@pytest.fixture
def checks(inbox):
    return Checks()


def test_what_lasts_is_told_at_the_second_check(checks, inbox):
    checks.find(finding())
    assert inbox.mails == []

    checks.find(finding(), times=5)

    (mail,) = inbox.mails
    assert mail["Subject"] == "[catsdogs] Warning: Something is slow"
    assert (mail["From"], mail["To"]) == ("catsdogs@example.org", "operator@example.org")
    assert mail["Auto-Submitted"] == "auto-generated"
    text = mail.get_content()
    assert "It was 12; the limit is 10." in text
    assert "What to do: Look at it." in text
    assert "First seen 2025-03-10 12:30 UTC." in text
    assert "docs/alerts.md, under [slow]" in text


def test_what_does_not_last_is_forgotten(checks, inbox):
    checks.find(finding())
    checks.find(times=2)
    checks.find(finding())

    assert inbox.mails == []
    assert Incident.objects.get().noticed_at == NOW + 3 * MINUTE


def test_it_is_over_after_some_fine_checks_and_not_before(checks, inbox):
    checks.find(finding(), times=2)
    checks.find(times=9)
    checks.find(finding())  # not over yet: the fine checks count anew
    checks.find(times=9)
    assert len(inbox.mails) == 1

    checks.find(times=10)

    begun, over = inbox.mails
    assert over["Subject"] == "[catsdogs] Over: Something is slow"
    assert over["In-Reply-To"] == begun["Message-ID"]
    assert "It is over since 2025-03-10 12:51 UTC, 21 minutes after it began." in over.get_content()


def test_each_incident_has_mails_of_its_own(checks, inbox):
    checks.find(finding(), finding("drift"), times=2)
    checks.find(finding("drift"), times=10)

    assert sorted(inbox.subjects) == [
        "[catsdogs] Over: Something is slow",
        "[catsdogs] Warning: Something is drift",
        "[catsdogs] Warning: Something is slow",
    ]


def test_what_comes_again_is_another_incident(checks, inbox):
    checks.find(finding(), times=2)
    checks.find(times=10)
    checks.find(finding(), times=2)

    assert len(inbox.mails) == 3
    assert Incident.objects.count() == 2


def test_a_rule_that_was_removed_ends_its_incident(checks, inbox):
    Incident.objects.create(
        **{**finding("gone").__dict__, "noticed_at": NOW, "opened_at": NOW, "seen_at": NOW}
    )

    checks.find()

    assert Incident.objects.get().over_at == NOW


def test_a_mail_that_is_refused_is_sent_later_and_once(checks, inbox, caplog):
    inbox.refusal = "451 try again later"
    checks.find(finding(), times=4)
    message = Message.objects.get()
    assert (message.sent_at, message.tries, inbox.tried) == (None, 3, 3)
    assert message.problem == "SMTPDataError (451)"

    inbox.refusal = ""
    checks.find(finding(), times=3)

    assert len(inbox.mails) == 1
    assert Message.objects.get().sent_at == NOW + 4 * MINUTE


def test_a_mail_that_waits_until_it_is_over_is_sent_before_the_one_that_says_so(checks, inbox):
    inbox.refusal = "451 try again later"
    checks.find(finding(), times=2)
    checks.find(times=11)
    inbox.refusal = ""

    checks.find()

    assert [subject.split()[1] for subject in inbox.subjects] == ["Warning:", "Over:"]


def test_without_anybody_to_tell_incidents_are_noted(checks, inbox, settings):
    settings.ALERT_MAIL_TO = []

    checks.find(finding(), times=2)

    assert Incident.objects.going_on().exists()
    assert not Message.objects.exists()


def test_a_chat_that_is_away_keeps_no_mail_back(checks, inbox, settings):
    with chat_server() as chat:
        send_to(settings, inbox, chat)
        chat.status = 500
        checks.find(finding(), times=3)
        assert (len(inbox.mails), chat.texts) == (1, [])
        assert Message.objects.get(channel="chat").problem == "the chat answered with status 500"

        chat.status = 200
        checks.find(finding(), times=2)

        assert len(inbox.mails) == 1
        assert chat.texts == [
            "Warning: Something is slow\nIt was 12; the limit is 10.\nLook at it."
        ]


def test_no_secret_is_told_when_telling_fails(checks, inbox, settings, caplog):
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "someone", "password-of-the-mail"
    with chat_server() as chat:
        send_to(settings, inbox, chat)
        chat.status = 403
        checks.find(finding(), times=2)
    checks.find(finding())  # now nobody listens

    problems = " ".join(Message.objects.values_list("problem", flat=True))
    assert "SMTPNotSupportedError" in problems
    assert "ConnectionRefusedError" in problems
    for secret in ("secret-of-the-chat", "password-of-the-mail"):
        assert secret not in problems
        assert secret not in caplog.text


def test_a_chat_s_redirect_is_not_followed(settings):
    with chat_server() as chat:
        send_to(settings, None, chat)
        chat.status = 302

        news = telling.News(
            key="1",
            is_over=False,
            severity="info",
            title="t",
            words="w",
            do="d",
            rule="r",
            since=NOW,
        )
        with pytest.raises(telling.NotTold, match="status 302"):
            telling.tell(telling.CHAT, news)


def test_nobody_is_told_of_what_is_silenced_until_that_ends(checks, inbox):
    Silence.objects.create(rule="slow", since=NOW, until=NOW + 5 * MINUTE, why="known", by="me")

    checks.find(finding(), finding("drift"), times=5)
    assert inbox.subjects == ["[catsdogs] Warning: Something is drift"]
    assert Incident.objects.going_on().count() == 2

    checks.find(finding(), finding("drift"))
    assert inbox.subjects[1:] == ["[catsdogs] Warning: Something is slow"]


def test_what_was_silenced_throughout_is_not_said_to_be_over(checks, inbox):
    Silence.objects.create(rule="", since=NOW, until=NOW + 90 * MINUTE, why="moving", by="me")

    checks.find(finding(), times=3)
    checks.find(times=20)

    assert inbox.mails == []
    assert Incident.objects.get().over_at


def test_two_checks_at_once_count_as_one(checks, inbox):
    noting.note([finding()], NOW)
    noting.note([], NOW + timedelta(seconds=3))

    assert Incident.objects.get().noticed_at == NOW


def test_a_clock_that_was_set_back_stops_no_check(checks, inbox):
    noting.note([], NOW + timedelta(days=1))
    noting.note([finding()], NOW)

    assert Incident.objects.exists()


def test_whoever_died_while_sending_is_replaced(checks, inbox, settings):
    noting.note([finding()], NOW)
    noting.note([finding()], NOW + MINUTE)
    message = Message.objects.get()
    assert Message.objects.claim(message, NOW + MINUTE)

    delivering.deliver(NOW + 2 * MINUTE)
    assert inbox.mails == []
    delivering.deliver(NOW + 7 * MINUTE)

    assert len(inbox.mails) == 1


@pytest.mark.django_db(transaction=True)
def test_of_many_checkers_at_once_one_sends(settings, tmp_path):
    settings.VAR_DIR = tmp_path
    together = threading.Barrier(4)

    def check():
        together.wait()
        noting.note([finding()], NOW + MINUTE)
        delivering.deliver(NOW + MINUTE)
        connection.close()

    with mail_server() as inbox:
        send_to(settings, inbox)
        noting.note([finding()], NOW)
        threads = [threading.Thread(target=check) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(inbox.mails) == 1


def test_a_check_reads_notes_and_sends(inbox, monkeypatch):
    from monitoring import judges
    from monitoring.judges import Measured

    for name in judges.JUDGES:
        monkeypatch.setitem(judges.JUDGES, name, lambda rule, now: None)
    monkeypatch.setitem(judges.JUDGES, "old", lambda rule, now: Measured("400 days", 400, 365))

    for minute in range(3):
        found = alerts.check(NOW + minute * MINUTE, database_answers=lambda: True)
        assert [each.rule for each in found] == ["old"]

    assert inbox.subjects == ["[catsdogs] Info: The live version is old"]
