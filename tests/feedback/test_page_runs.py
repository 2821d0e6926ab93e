import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from classifier.models import ModelVersion
from feedback import tasks
from feedback.models import Replay, ReplayedAnswer, TrainingRun
from tests.make import make_prediction, make_run, make_version

HTMX = {"HX-Request": "true"}
CHECK = {
    "name": "base accuracy",
    "passed": False,
    "candidate": 0.97,
    "live": 0.98,
    "limit": "at most 1 photo lost",
    "words": "9 broken, 1 mended.",
}


@pytest.fixture
def started(monkeypatch):
    """The runs that would work in a process of their own."""
    runs = []
    monkeypatch.setattr(tasks, "start", runs.append)
    return runs


def going_on(**changes):
    return make_run(**{"state": "running", "progress": 0.42, "step": "Fitting heads", **changes})


def refused():
    version = make_version("2026-02-02.1")
    return make_run(
        state="done",
        outcome="refused",
        candidate=version,
        live=version,
        problem="9 broken, 1 mended.",
        verdict={"passed": False, "checks": [CHECK]},
    )


@pytest.mark.parametrize("path", ["/runs", "/replays", f"/runs/{uuid.UUID(int=7)}"])
def test_others_are_sent_to_log_in(client, db, path):
    r = client.get(path)

    assert r.status_code == 302
    assert r.url == f"/admin/login/?next={path}"


@pytest.mark.parametrize("path", ["/runs/start", "/replays/start"])
def test_others_start_nothing(client, db, started, path):
    assert client.post(path).status_code == 302
    assert not TrainingRun.objects.exists()
    assert started == []


def test_users_who_are_not_staff_start_nothing(client, django_user_model, started):
    client.force_login(django_user_model.objects.create_user("visitor"))

    assert client.post("/runs/start").status_code == 302
    assert not TrainingRun.objects.exists()


def test_a_link_starts_nothing(admin_client, started):
    assert admin_client.get("/runs/start").status_code == 405
    assert started == []


def test_a_form_of_another_site_starts_nothing(admin_user, client_factory, started):
    from django.test import Client

    strict = Client(enforce_csrf_checks=True)
    strict.force_login(admin_user)

    assert strict.post("/runs/start").status_code == 403
    assert started == []


def test_the_button_starts_a_run_under_the_name_of_who_pressed_it(
    admin_client, live, approved, started
):
    assert "Retrain now" in admin_client.get("/runs").text

    r = admin_client.post("/runs/start")

    run = TrainingRun.objects.get()
    assert (r.status_code, r.url) == (303, f"/runs/{run.pk}")
    assert (run.asked_by, run.force) == ("admin", False)
    assert started == [run]


def test_where_nothing_is_approved_the_page_says_so_in_the_place_of_the_button(
    admin_client, live, approved
):
    approved.clear()

    page = admin_client.get("/runs").text

    assert "No photo is approved for learning yet." in page
    assert "Retrain now" not in page


def test_a_second_one_is_refused_with_who_and_when(admin_client, live, approved, started):
    going_on(asked_by="grace", heartbeat_at=timezone.now())

    r = admin_client.post("/runs/start")

    assert r.status_code == 409
    assert "started by grace" in r.text
    assert started == []


def test_a_run_shows_how_far_it_is_and_goes_on_asking(admin_client):
    run = going_on(log="Fitted <b>heads</b>.")

    page = admin_client.get(f"/runs/{run.pk}").text

    assert "42 %" in page
    assert "Fitting heads" in page
    assert "Fitted &lt;b&gt;heads&lt;/b&gt;." in page
    assert 'hx-trigger="every 2s"' in page


def test_htmx_gets_the_progress_alone(admin_client):
    page = admin_client.get(f"/runs/{going_on().pk}", headers=HTMX).text

    assert page.lstrip().startswith('<section id="progress"')


def test_at_its_end_htmx_is_told_to_load_the_page_anew(admin_client):
    r = admin_client.get(f"/runs/{refused().pk}", headers=HTMX)

    assert r.headers["HX-Refresh"] == "true"


def test_a_finished_run_asks_no_more_and_shows_its_verdict(admin_client):
    page = admin_client.get(f"/runs/{refused().pk}").text

    assert "hx-trigger" not in page
    for words in ("Base accuracy", "0.97", "0.98", "at most 1 photo lost", "9 broken, 1 mended."):
        assert words in page


def test_the_page_finds_a_dead_run_lost(admin_client):
    run = going_on(heartbeat_at=timezone.now() - timedelta(minutes=2))

    assert "has not been heard of since" in admin_client.get(f"/runs/{run.pk}").text


def test_a_run_can_be_cancelled(admin_client):
    run = going_on()

    r = admin_client.post(f"/runs/{run.pk}/cancel")

    assert (r.status_code, r.url) == (303, f"/runs/{run.pk}")
    assert TrainingRun.objects.get().cancel_asked_at
    assert "Stopping…" in admin_client.get(r.url).text


def test_an_unknown_run_is_not_found(admin_client):
    assert admin_client.get(f"/runs/{uuid.uuid4()}").status_code == 404
    assert admin_client.post(f"/runs/{uuid.uuid4()}/cancel").status_code == 404


def test_a_strange_page_number_is_the_last_or_first_page(admin_client, live, approved):
    assert admin_client.get("/runs?page=999").status_code == 200
    assert admin_client.get("/runs?page=%00").status_code == 200


def test_the_admin_lists_runs_with_a_button_and_shows_the_verdict(admin_client):
    run = refused()

    assert "Retrain now" in admin_client.get("/admin/feedback/trainingrun/").text
    page = admin_client.get(f"/admin/feedback/trainingrun/{run.pk}/change/").text
    assert "<th>base accuracy</th><td>✕ refused</td><td>0.97</td>" in page


def test_the_admin_changes_no_run(admin_client):
    run = refused()

    address = f"/admin/feedback/trainingrun/{run.pk}/"
    assert admin_client.post(f"{address}change/", {"state": "done"}).status_code == 403
    assert admin_client.post(f"{address}delete/", {"post": "yes"}).status_code == 403


@pytest.fixture
def replayed(db):
    """A finished replay with one changed answer."""
    run = Replay.objects.create(version=make_version("2026-02-02.1"), last=10, state="done")
    ReplayedAnswer.objects.create(
        replay=run,
        prediction=make_prediction("cat"),
        answer="dog",
        label="dog",
        confidence=0.8,
        probabilities={"dog": 0.8, "cat": 0.2},
        inference_ms=9.0,
    )
    run.summary = {
        "photos": 1,
        "matrix": {"cat": {"dog": 1}},
        "changed": 1,
        "paired": {"photos": 0, "both": 0, "only_old": 0, "only_new": 0, "neither": 0, "p": 1.0},
        "logged_ms": 10.0,
        "version_ms": 9.0,
        "skipped": {"erased": 1, "broken": 0},
        "side_by_side": None,
    }
    run.save()
    return run


def test_a_replay_is_started_from_the_page(admin_client, started):
    make_version("2026-02-02.1")

    r = admin_client.post("/replays/start", {"version": "2026-02-02.1", "last": "5"})

    run = Replay.objects.get()
    assert (r.status_code, r.url) == (303, f"/replays/{run.pk}")
    assert (run.last, run.asked_by) == (5, "admin")
    assert started == [run]


@pytest.mark.parametrize(
    "sent",
    [{}, {"version": "nothing", "last": "5"}, {"version": "1", "last": "0"}, {"version": "\0"}],
)
def test_a_strange_replay_is_refused_with_the_reason(admin_client, started, sent):
    make_version("1")

    r = admin_client.post("/replays/start", sent)

    assert r.status_code == 422
    assert 'role="alert"' in r.text
    assert started == []


def test_the_same_replay_again_leads_to_the_one_that_is_going_on(admin_client, started):
    version = make_version("1")
    run = Replay.objects.create(version=version, last=5)

    r = admin_client.post("/replays/start", {"version": "1", "last": "5"})

    assert r.url == f"/replays/{run.pk}"
    assert started == []


def test_a_replay_shows_the_photos_whose_answers_change(admin_client, replayed):
    page = admin_client.get(f"/replays/{replayed.pk}").text

    photo = ReplayedAnswer.objects.get().prediction
    assert f"/photos/{photo.pk}/" in page
    assert "cat before, dog now" in page
    assert "1 erased" in page


@pytest.mark.parametrize(
    ("asked", "shown"), [("old=cat&new=dog", True), ("old=dog", False), ("old=%00", True)]
)
def test_changes_are_shown_by_kind(admin_client, replayed, asked, shown):
    page = admin_client.get(f"/replays/{replayed.pk}?{asked}").text

    assert ("/photos/" in page) == shown


def test_a_photo_erased_since_is_told(admin_client, replayed):
    ReplayedAnswer.objects.get().prediction.__class__.objects.update(photo_is_kept=False)

    assert "The photo has been erased." in admin_client.get(f"/replays/{replayed.pk}").text


def test_an_interrupted_replay_offers_to_go_on(admin_client, replayed):
    Replay.objects.update(state="cancelled", summary=None)

    assert "Go on" in admin_client.get(f"/replays/{replayed.pk}").text


def test_a_replay_can_be_cancelled(admin_client, replayed):
    Replay.objects.update(state="running")

    assert admin_client.post(f"/replays/{replayed.pk}/cancel").status_code == 303
    assert Replay.objects.get().cancel_asked_at
    assert ModelVersion.objects.exists()
