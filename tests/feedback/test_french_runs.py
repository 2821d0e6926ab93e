"""Retrainings and replays in French: what they do, what came of them, what is unknown."""

import re

import pytest
from django.utils import timezone

from feedback.models import Replay, ReplayedAnswer, TrainingRun
from feedback.replay_summary import summary_of
from tests.french import AT, HARD, THIN, make_refused_run, said
from tests.make import make_prediction, make_run, make_version

HTMX = {"HX-Request": "true"}


@pytest.fixture
def two(db):
    """A live version, and a newer one that was refused."""
    live, new = make_version("1", live=True), make_version("2")
    make_refused_run(live, new)
    return live, new


def test_what_there_is_to_learn_is_told_in_french(french_staff, two):
    TrainingRun.objects.create(state="failed", problem="Cancelled. The moon fell on it.")
    TrainingRun.objects.update(created_at=AT)

    response = french_staff.get("/runs")

    page = said(response)
    for words in (
        "Aucune photo n’est encore approuvée pour l’apprentissage.",
        "4 août 2026, 15:07",
        "2, à partir de 1 photo",
        "La perte logarithmique sur la base",
        "Annulation demandée.",
        "échoué",
    ):
        assert words in page
    # What nobody knows in French says that it is in English.
    assert '<span lang="en" translate="no">The moon fell on it.</span>' in response.text
    assert 'data-state="refused"' in response.text


def test_a_run_at_work_says_what_it_does_in_french(french_staff, db):
    now = {"heartbeat_at": timezone.now(), "log": "Fitted."}
    run = make_run(state="running", progress=0.425, step="Fitting the heads", **now)

    response = french_staff.get(f"/runs/{run.pk}")

    page = said(response)
    assert "Ajustement des têtes" in page
    assert f"42{THIN}%" in page
    assert '<progress max="1" value="0.425"' in response.text
    assert '<pre lang="en" translate="no">Fitted.</pre>' in response.text


def test_a_second_run_is_refused_in_french(french_staff, two):
    make_run(state="running", progress=0.42, asked_by="grace", heartbeat_at=timezone.now())

    page = said(french_staff.post("/runs/start"), status=409)

    assert f"Il y en a déjà un, en cours (fait à 42{THIN}%), lancé par grace" in page


def test_a_finished_run_tells_its_verdict_in_french(french_staff, two):
    page = said(french_staff.get(f"/runs/{TrainingRun.objects.get().pk}"))

    for words in ("2 a été refusée", "1 min 40 s", "Limite\u202f: au plus 0,1230", "0,1234"):
        assert words in page
    assert not re.search(r"log loss|at most|Refused|refused", page)


@pytest.fixture
def replayed(two):
    """A replay of four thousand photos, of which one was there."""
    run = Replay.objects.create(version=two[1], last=4000, state="done")
    ReplayedAnswer.objects.create(
        replay=run,
        prediction=make_prediction("cat", version=two[0], confidence=0.83),
        answer="dog",
        label="dog",
        confidence=0.812,
        probabilities={"dog": 0.812, "cat": 0.188},
        inference_ms=9.25,
    )
    side_by_side = {"photos": 1, "live": "1", "live_ms": 11.84, "version_ms": 9.25}
    more = {"skipped": {"erased": 1, "broken": 2}, "side_by_side": side_by_side}
    run.summary = {**summary_of(run), **more}
    run.save()
    return run


def test_a_replay_is_told_in_french(french_staff, replayed):
    response = french_staff.get(f"/replays/{replayed.pk}")

    page = said(response)
    for words in (
        f"Les 4{HARD}000 dernières sur 2",
        "sur 1 photo, 1 effacée, 2 abîmées",
        "11,8 ms, côte à côte sur 1 photo",
        "maintenant chien",
        f"81{THIN}%",
    ):
        assert words in page
    assert 'aria-label="1 photo, avant chat, maintenant chien"' in response.text
    assert "?old=cat&amp;new=dog" in response.text
    assert 'name="last" value="4000"' in response.text


def test_replays_are_listed_and_refused_in_french(french_staff, replayed):
    assert f"(4{HARD}000){THIN}: 1 réponse sur 1 change" in said(french_staff.get("/replays"))

    refused = said(french_staff.post("/replays/start", {"version": "9", "last": "0"}), status=422)

    assert "Version\u202f: Sélectionnez un choix valide." in refused
    assert "Photos\u202f: Assurez-vous que cette valeur est supérieure ou égale à 1." in refused


def test_pages_of_many_runs_are_gone_through_in_french(french_staff, db):
    for _ in range(21):
        make_run(state="done", outcome="unchanged")

    response = french_staff.get("/runs?page=2")

    assert "Page 2 sur 2" in said(response)
    assert 'href="?page=1" rel="prev">Plus récents<' in response.text
