"""What monitoring says in French: pages, numbers, plurals, dates, alerts and the admin."""

import re
from datetime import timedelta
from html import unescape
from html.parser import HTMLParser

import pytest
from django.utils import timezone, translation

from classifier.models import RefusalCount
from monitoring import alerts, figures, findings, judging
from monitoring.charts.scales import compact, in_bytes, in_megapixels, in_milliseconds, in_percent
from monitoring.incidents import Incident, Silence
from monitoring.ml_test_score import sections
from monitoring.plots import PLOTS
from monitoring.rules import read_rules
from tests.make import make_feedback, make_prediction, make_teaching, make_version
from tests.monitoring.pages import read
from tests.monitoring.rows import NOW, Row, some_rows, store
from tests.monitoring.sinks import mail_server, send_to

pytestmark = pytest.mark.django_db

FRENCH = {"Accept-Language": "fr"}
DAYS = {"since": "2025-03-08T12:00", "until": "2025-03-10T13:00"}
MINUTE = timedelta(minutes=1)


@pytest.fixture
def french(admin_client):
    """Staff whose browser asks for French."""
    admin_client.defaults["HTTP_ACCEPT_LANGUAGE"] = "fr"
    return admin_client


@pytest.fixture
def in_french():
    with translation.override("fr"):
        yield


class Drawn(HTMLParser):
    """The numbers in a page's drawings, forms and addresses."""

    numeric = ("x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r", "rx", "width", "height")

    def __init__(self):
        super().__init__()
        self.numbers, self.shapes, self.links = [], [], []

    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            if name in self.numeric or (tag == "meter" and name in ("min", "max", "value")):
                self.numbers.append(value)
            elif name in ("d", "viewbox"):
                self.shapes.append(value)
            elif name in ("href", "hx-get"):
                self.links.append(value)


def drawn(html):
    reader = Drawn()
    reader.feed(html)
    return reader


def test_the_page_says_its_figures_in_french(french):
    store(some_rows(1200))

    page = french.get("/insights", DAYS)

    assert page.headers["Content-Language"] == "fr"
    shown = read(page.text)
    assert shown.tiles["Photos avec réponse"] == ["1 200", "588 par jour"]
    assert "1\xa0200" in page.text
    assert re.fullmatch(r"\d\d,\d %", shown.tiles["Avec avis"][0])
    assert shown.tables["answers"][0] == ["Réponse", "Photos", "Part"]
    assert {row[0] for row in shown.tables["answers"][1:]} == {
        *("chat", "chien", "pas sûr", "ni l’un ni l’autre")
    }
    assert shown.tables["predictions"][1][0].startswith("sam 8 mars, 12:00")


def test_drawings_and_addresses_keep_numbers_that_programs_read(french):
    store(some_rows(1200))

    page = drawn(french.get("/insights", DAYS).text)

    assert len(page.numbers) > 200
    assert [number for number in page.numbers if not re.fullmatch(r"-?\d+(\.\d+)?", number)] == []
    assert [shape for shape in page.shapes if "," in shape or "\xa0" in shape] == []
    assert [link for link in page.links if "\xa0" in link] == []


def test_htmx_gets_the_parts_in_french_too(french):
    make_prediction(version=make_version(live=True))

    page = french.get("/insights", headers={"HX-Request": "true"}).text

    assert "État au" in page
    assert "Photos avec réponse" in page


def test_the_same_numbers_are_taken_along_in_every_language(french, client, settings):
    settings.INSIGHTS_OPEN = True
    store(some_rows(200))

    for name in PLOTS:
        address = f"/insights/{name}.csv"
        assert french.get(address, DAYS).text == client.get(address, DAYS).text
    assert "cat" in french.get("/insights/answers.csv", DAYS).text


@pytest.mark.parametrize("asked", [{"since": "yesterday"}, {"since": "2999-12-31"}, {"range": "x"}])
def test_a_time_that_is_refused_is_refused_in_french(french, asked):
    page = french.get("/insights", asked)

    assert page.status_code == 422
    content = page.text.partition("<main")[2]
    problem = content.partition('role="alert"')[2].partition("</div>")[0]
    assert "Ce sont les dernières 24" in problem
    assert re.search("Saisissez|Choisissez|Sélectionnez", problem)


@pytest.mark.usefixtures("in_french")
def test_of_one_and_of_many_is_spoken_as_french_does():
    make_version("2025-02-01.1", created=(NOW - timedelta(days=3)).isoformat(), live=True)
    store([Row(NOW - timedelta(hours=1), opinions=[True])])
    assert findings.state(NOW).summary.startswith("1 photo a eu sa réponse")
    assert "100,0\xa0% de 1 avis dit «\u202fjuste\u202f»" in findings.state(NOW).summary

    store([Row(NOW - timedelta(hours=1), total_ms=1234.5, opinions=[True]) for _ in range(3)])

    found = findings.state(NOW)
    assert found.headline == "Tout va bien."
    assert "photos ont eu leur réponse ces dernières 24 heures, en moins de 1\xa0234,5\xa0ms" in (
        found.summary
    )
    assert "de 4 avis disent" in found.summary


@pytest.mark.usefixtures("in_french")
@pytest.mark.parametrize(
    ("write", "value", "words"),
    [
        (compact, 1500, "1,5k"),
        (in_milliseconds, 12.5, "12,5\u202fms"),
        (in_percent, 0.995, "99,5\u202f%"),
        (in_bytes, 2_500_000, "2,5\u202fMo"),
        (in_bytes, 0, "0\u202fo"),
        (in_megapixels, 1_200_000, "1,2\u202fMpx"),
    ],
)
def test_numbers_of_an_axis_have_a_comma_and_french_units(write, value, words):
    assert write(value) == words


def test_a_thing_to_look_at_is_said_in_french_with_what_to_do(french):
    make_version(live=True, created=timezone.now().isoformat())
    for _ in range(50):
        make_feedback(make_prediction(version_id="2026-01-01.1"), correct=False)

    html = unescape(french.get("/insights").text)

    assert "À regarder\u202f: les gens ne sont pas d’accord avec les réponses." in html
    assert re.search(r"0\u202f% des 50 derniers avis disent que 2026-01-01\.1 avait raison", html)
    assert "manage.py rollback_model" in html


def test_the_28_questions_are_asked_in_french(client):
    page = client.get("/ml-test-score", headers=FRENCH)

    html = unescape(page.text)
    assert "Le ML Test Score pose 28 questions" in html
    assert html.count("Automatique") + html.count("À la main") + html.count("Absent") == 28
    with translation.override("fr"):
        rows = [row for section in sections() for row in section.rows]
        assert all(str(row.title) in html and str(row.how) in html for row in rows)
    meters = re.findall(r'<meter min="0" max="7" value="([^"]+)">', page.text)
    assert [float(points) for points in meters] == [section.points for section in sections()]
    assert ">3,5<" in page.text


@pytest.fixture
def inbox(settings, tmp_path):
    settings.VAR_DIR = tmp_path
    with mail_server() as inbox:
        send_to(settings, inbox)
        yield inbox


def refuse(now, count=200):
    minute = now.replace(second=0, microsecond=0) - MINUTE
    RefusalCount.objects.create(minute=minute, code="broken_image", count=count)


def check(times=2):
    for minute in range(times):
        alerts.check(NOW + minute * MINUTE, database_answers=lambda: True)


def test_a_mail_is_written_in_the_language_that_the_setting_names(inbox, settings):
    settings.ALERT_LANGUAGE = "fr"
    refuse(NOW)

    check()

    (mail,) = inbox.mails
    assert (
        mail["Subject"].strip()
        == "[catsdogs] Avertissement\u202f: Beaucoup de photos sont refusées"
    )
    text = mail.get_content()
    assert "100\u202f% des 200 photos des 15 dernières minutes ont été refusées" in text
    assert "Que faire\u202f: Quel code\u202f?" in text
    assert "Vu pour la première fois le 10 mars 2025 à 12:30 (UTC)." in text

    RefusalCount.objects.all().delete()
    for minute in range(2, 14):
        alerts.check(NOW + minute * MINUTE, database_answers=lambda: True)

    assert inbox.mails[1]["Subject"].strip().startswith("[catsdogs] Fini\u202f: ")
    assert "minutes après le début." in inbox.mails[1].get_content()


def test_a_mail_about_the_database_that_is_away_is_in_that_language_too(inbox, settings):
    settings.ALERT_LANGUAGE = "fr"

    for minute in range(2):
        alerts.check(NOW + minute * MINUTE, database_answers=lambda: False)

    (subject,) = inbox.subjects
    assert subject.strip() == "[catsdogs] Critique\u202f: La base de données ne répond pas"
    assert "La base de données n’a pas répondu en 3 s." in inbox.mails[0].get_content()


def test_an_incident_is_kept_in_english_and_read_in_both(french, inbox, client, admin_user):
    refuse(NOW)
    check()

    incident = Incident.objects.get()
    assert incident.title == "Many photos are refused"
    assert incident.words.startswith("100% of the 200 photos")
    assert inbox.subjects == ["[catsdogs] Warning: Many photos are refused"]
    page = unescape(french.get("/admin/monitoring/incident/").text)
    assert "Beaucoup de photos sont refusées" in page
    assert "100\u202f% des 200 photos" in page
    assert "Many photos" not in page
    client.force_login(admin_user)
    assert "Many photos are refused" in client.get("/admin/monitoring/incident/").text


def test_an_incident_of_before_is_read_as_it_was_written(french):
    Incident.objects.create(
        rule="slow", severity="info", title="Old words", words="…", do="…", value=1, limit=1,
        noticed_at=NOW, opened_at=NOW, seen_at=NOW,
    )  # fmt: skip

    assert "Old words" in french.get("/admin/monitoring/incident/").text


@pytest.mark.usefixtures("in_french")
def test_words_of_an_own_file_of_rules_stay_as_they_are(settings, tmp_path):
    own = tmp_path / "rules.toml"
    own.write_text('[backlog]\nlimit_photos = 0\ntitle = "Hop, hop"\n')
    settings.ALERT_RULES = own
    read_rules.cache_clear()
    make_teaching()

    found = judging.evaluate(timezone.now(), database_answers=lambda: True)

    assert figures.review_backlog().photos == 1
    (backlog,) = [finding for finding in found if finding.rule == "backlog"]
    assert backlog.title == "Hop, hop"
    assert backlog.words == "1 photo attend un relecteur\u202f; la limite est de 0."


def test_rules_are_silenced_in_french(french):
    page = unescape(french.get("/admin/monitoring/silence/add/").text)
    assert "toutes les règles" in page
    assert "slow: Les réponses sont lentes" in page

    backwards = {
        "rule": "slow", "why": "test",
        "since_0": "10/03/2025", "since_1": "12:30", "until_0": "10/03/2025", "until_1": "12:00",
    }  # fmt: skip
    refused = unescape(french.post("/admin/monitoring/silence/add/", backwards).text)

    assert "La fin vient avant le début." in refused
    assert not Silence.objects.exists()


def test_the_api_refuses_a_time_in_the_caller_s_language(client):
    address = "/api/statistics?since=1900-01-01T00:00:00Z"

    english, french = client.get(address), client.get(address, headers=FRENCH)

    assert "A time from 1971 to 2999 is expected." in english.json()["detail"]
    assert "Une date de 1971 à 2999 est attendue." in french.json()["detail"]
    assert english.json()["code"] == french.json()["code"]
