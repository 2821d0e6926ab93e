"""The versions in French: their words, their figures, and what stays in English."""

import re

import pytest
from django.utils import timezone

from classifier.models import ModelVersion, Server
from ml.registry import load_card, save_version
from tests.french import AT, HARD, THIN, make_refused_run, said
from tests.make import (
    make_card,
    make_saved_version,
)

HTMX = {"HX-Request": "true"}
SCORES = {
    "count": 2189,
    "accuracy": 0.975,
    "accuracy_interval": [0.942, 0.989],
    "log_loss": 0.0812,
    "told": {"answered": 0.91, "right": 0.99, "unsure": 0.05, "neither": 0.04},
    "slices": {"focus: sharp": {"count": 1200, "accuracy": 0.98, "log_loss": 0.07}},
}
HISTORY = [0.5, 0.25, 0.125]


@pytest.fixture
def two(db, settings, tmp_path):
    """A live version, and a newer one that was refused."""
    settings.MODELS_DIR = tmp_path / "models"
    training = {"recipe": {}, "history": HISTORY}
    known = {"scores": SCORES, "unsure_below": 0.8241, "neither_above": 0.5, "training": training}
    known["data"] = {"digest": "d" * 64, "name": "Cats of ours", "counts": {"train": {"cat": 9000}}}
    live = make_saved_version(settings.MODELS_DIR, "1", live=True, **known)
    ModelVersion.objects.filter(pk="1").update(promoted_at=AT)
    live.promotions.update(at=AT)
    better = {**SCORES, "accuracy": 0.985}
    new = make_saved_version(settings.MODELS_DIR, "2", **{**known, "scores": better})
    make_refused_run(live, new)
    return live, new


def test_the_versions_tell_their_scores_in_french(french_visitor, two):
    page = said(french_visitor.get("/models"))

    for words in (
        "Répond en ce moment",
        "depuis le 4 août 2026, 15:07",
        f"97,50{THIN}%",
        f"de 94,20 à 98,90{THIN}%",
        "0,0812",
        "chat et chien",
        "Refusée",
        "La perte logarithmique sur la base est de 0,1234, contre 0,1100",
    ):
        assert words in page


def test_a_version_tells_where_it_comes_from_in_french(french_visitor, two):
    response = french_visitor.get("/models/1")

    page = said(response)
    for words in (
        f"Sur 2{HARD}189 photos",
        f"Netteté{THIN}: nette",
        f"1{HARD}200",
        f"inférieure à 82,41{THIN}%",
        "Entraînée à partir de poids aléatoires",
        f"Jeu d’entraînement{THIN}: 9{HARD}000 photos",
        f"Entraînement{THIN}: 0,125 à la fin",
    ):
        assert words in page
    # What a script or a drawing reads has no comma, and the card's own words say what they are in.
    points = re.search(r'<polyline class="line-1" points="([^"]+)"', response.text)
    assert points and all(re.fullmatch(r"[\d.]+,[\d.]+", each) for each in points[1].split())
    assert '<span lang="en" translate="no">Cats of ours</span>' in response.text


def test_its_verdict_is_said_in_french(french_visitor, two):
    page = said(french_visitor.get("/models/2"))

    for words in (
        "Elle est refusée",
        "Perte logarithmique sur la base",
        "au plus 0,1230",
        "0,1234",
        "refusé",
    ):
        assert words in page
    assert "log loss" not in page


@pytest.mark.parametrize(
    ("taken", "words"),
    [(1, "Elle a appris de 1 photo retirée depuis"), (2, "de 2 photos retirées depuis")],
)
def test_photos_taken_back_are_counted(french_visitor, two, taken, words):
    ModelVersion.objects.filter(pk="2").update(withdrawn_photos=taken)

    assert words in said(french_visitor.get("/models/2"))


def test_a_model_card_is_shown_as_english(french_visitor, two, settings):
    files = {"model.onnx": b"not a network", "MODEL_CARD.md": b"# Written in English"}
    ModelVersion.objects.register(
        load_card(save_version(settings.MODELS_DIR, make_card("3"), files))
    )

    response = french_visitor.get("/models/3/card")

    assert "Fiche du modèle" in said(response)
    assert '<pre class="card" lang="en" translate="no"># Written in English</pre>' in response.text


def test_two_versions_are_compared_in_french(french_visitor, two):
    page = said(french_visitor.get("/models/compare?a=1&b=2"))

    for words in ("Exactitude", "+1,00 point", "mieux", "en service", f"1{HARD}200 photos"):
        assert words in page


def test_why_no_difference_is_claimed_is_said_in_french(french_visitor, two):
    ModelVersion.objects.filter(pk="2").update(data_digest="e" * 64)

    page = said(french_visitor.get("/models/compare?a=1&b=2"))

    assert f"affirmée{THIN}: elles ont été mesurées sur des données différentes." in page


def test_letting_another_one_answer_is_asked_in_french(french_staff, two):
    asked = said(french_staff.get("/models/2/promote"))
    refused = said(french_staff.post("/models/2/promote", {"instead_of": "3"}), status=409)

    assert f"Laisser 2 répondre{THIN}?" in asked
    assert "Rien n’a été changé." in refused
    assert f"la version en service a changé{THIN}: maintenant 1, avant 3." in refused


def test_going_back_is_asked_in_french(french_staff, two):
    ModelVersion.objects.get(pk="2").promote()

    assert f"Revenir à 1{THIN}?" in said(french_staff.get("/models/rollback"))


def test_the_problem_of_a_server_is_told_in_french(french_staff, two):
    problem = "Version 1: model.onnx cannot be read."
    Server.objects.create(host="web-7", pid=4321, seen_at=timezone.now(), problem=problem)

    page = said(french_staff.get("/models/1/following"))

    assert f"Serveurs qui répondent avec elle{THIN}: 0 sur 1." in page
    assert f"web-7, processus 4321{THIN}: Version 1{THIN}: model.onnx est illisible." in page


def test_the_site_explains_itself_in_french(french_visitor, two):
    page = said(french_visitor.get("/about"))

    assert "Comment je les distingue" in page
    assert f"2{HARD}189 photos qu’elle n’avait jamais vues" in page
    assert f"97,50{THIN}%" in page


def test_who_asks_for_english_gets_it_as_before(client, two):
    page = client.get("/models").text

    for words in ("Answering now", "since 4 August 2026, 15:07", "94.20 to 98.90\u00a0%"):
        assert words in page
