"""What the admin calls our models and fields: Django's words, in the language of who reads."""

import re

import pytest
from django.apps import apps
from django.core.management import call_command
from django.utils import translation

from catsdogs.unmarked import unmarked
from classifier import model_words
from classifier.models import ApiToken, Prediction
from feedback.models import TrainingRun
from tests.make import make_prediction


@pytest.mark.parametrize("app", ["classifier", "feedback", "monitoring"])
def test_each_of_its_words_is_known_in_french(app):
    words = {word for _, word in model_words.words_of(apps.get_app_config(app))}

    assert len(words) > 20
    with translation.override("fr"):
        catalogue = {word: translation.pgettext(model_words.CONTEXT, word) for word in words}
    assert {word for word, said in catalogue.items() if said == word} <= SAME_IN_FRENCH


SAME_IN_FRENCH = {
    *(
        "ID",
        "architecture",
        "candidate",
        "code",
        "format",
        "incident",
        "incidents",
        "message",
        "messages",
    ),
    *("minute", "photo", "photos", "promotion", "promotions", "scores", "segment", "silence"),
    *("silences", "verdict", "version"),
}


def test_words_follow_the_language_that_is_spoken():
    def words():
        field = Prediction._meta.get_field("keep_until")
        state = TrainingRun(state="running").get_state_display()
        return [
            *(Prediction._meta.verbose_name_plural, field.verbose_name, field.help_text),
            *(state, apps.get_app_config("monitoring").verbose_name),
        ]

    english = list(map(str, words()))
    with translation.override("fr"):
        french = list(map(str, words()))

    assert english == [
        *("predictions", "keep until", "When the photo is erased; empty: it may stay."),
        *("Running", "Monitoring"),
    ]
    assert french == [
        *("prédictions", "à garder jusqu’au"),
        "Quand la photo est effacée\u202f; vide\u202f: elle peut rester.",
        *("En cours", "Surveillance"),
    ]


@pytest.mark.django_db
def test_no_word_asks_for_a_migration():
    with translation.override("fr"):
        call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_sentences_of_toml_files_are_collected_with_their_place(settings):
    found = list(unmarked(settings.BASE_DIR))

    assert ("monitoring/rules.toml", None, "Answers are slow") in found
    assert ("monitoring/ml_test_score.toml", None, "There is a way back") in found
    assert ("monitoring/ml_test_score.toml", None, "Infrastructure") in found
    assert ("classifier/versions.py", "admin", "model version") in found
    assert not any("python -m" in words or words == "critical" for _, c, words in found if not c)


@pytest.fixture
def french(admin_client):
    admin_client.defaults["HTTP_ACCEPT_LANGUAGE"] = "fr"
    return admin_client


def erase(client, *predictions):
    chosen = [str(each.pk) for each in predictions]
    asked = {"action": "erase", "confirmed": "yes", "_selected_action": chosen}
    return client.post("/admin/classifier/prediction/", asked, follow=True).text


@pytest.mark.django_db
def test_the_admin_counts_as_french_does(french):
    one, *others = make_prediction(), make_prediction(), make_prediction()

    assert "1 prédiction effacée, avec sa photo et ses avis." in erase(french, one)
    assert "2 prédictions effacées, avec leurs photos et leurs avis." in erase(french, *others)
    assert not Prediction.objects.exists()


@pytest.mark.django_db
def test_a_token_is_given_and_revoked_in_french(french):
    page = french.post("/admin/classifier/apitoken/add/", {"name": "phone", "may_read": "on"})
    page = french.get(page.url).text
    token = ApiToken.objects.get()

    assert "Le jeton est " in page
    assert ">lire<" in page

    asked = {"action": "revoke", "_selected_action": [str(token.pk)]}
    assert "1 jeton révoqué." in french.post("/admin/classifier/apitoken/", asked, follow=True).text


@pytest.mark.django_db
def test_answers_have_french_names_and_are_asked_for_by_their_own(french):
    make_prediction("cat")
    make_prediction("dog", confidence=0.6, answer="unsure")
    make_prediction("rabbit")

    page = french.get("/admin/classifier/prediction/").text

    link = r'<a href="\?answer=(\w+)"[^>]*>\s*([^<]+?)\s*</a>'
    found = dict(re.findall(link, page))
    assert found == {"cat": "chat", "rabbit": "rabbit", "unsure": "pas sûr"}
    shown = french.get("/admin/classifier/prediction/?answer=unsure")
    assert [row.label for row in shown.context["cl"].result_list] == ["dog"]
