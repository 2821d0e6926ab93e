"""Retrainings and replays: progress that moves by itself, a verdict, a gallery."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from classifier import storage
from classifier.models import ModelVersion
from feedback import retraining, tasks
from feedback.heartbeat import at_work
from feedback.models import Replay, ReplayedAnswer, TrainingRun
from feedback.replay_summary import summary_of
from ml.examples import Example
from ml.photos import decode_photo
from tests.make import make_feedback, make_prediction, make_run, make_version
from tests.photos import chelsea, encode

PHONE, DESKTOP = {"width": 360, "height": 780}, {"width": 1200, "height": 900}


@pytest.fixture
def approved(monkeypatch, tmp_path):
    """One approved photo."""
    examples = [Example(tmp_path, "cat", "a" * 64)]
    monkeypatch.setattr(retraining, "approved_examples", lambda: examples)


def check(name, words, *, passed=True, candidate=0.9863, live=0.9861):
    return {
        "name": name,
        "passed": passed,
        "candidate": candidate,
        "live": live,
        "limit": "at most 7 of 2235 photos lost, half of it beyond chance",
        "words": words,
    }


def judged(outcome="refused"):
    """A finished run with its verdict."""
    return make_run(
        state="done",
        outcome=outcome,
        live=ModelVersion.objects.live().get(),
        candidate=make_version("2026-11-25.1"),
        num_photos=50,
        problem="No gain: 40.0% of 50 photos from feedback are told what people said."
        if outcome == "refused"
        else "",
        log="2026-11-26.2 is live. 50 approved photos.\nFitted both heads in 9 s.",
        verdict={
            "passed": outcome == "promoted",
            "checks": [
                check("base accuracy", "98.63% of 2235 answers on the base right."),
                check(
                    "gain",
                    "No gain: 40.0% of 50 photos from feedback are told what people said.",
                    passed=outcome == "promoted",
                    candidate=0.4,
                    live=0.42,
                ),
                check("size", "Its folder has 21.4 MB.", candidate=21_400_000, live=21_398_001),
            ],
        },
    )


def replayed():
    """A finished replay whose gallery has cats."""
    version = make_version("2026-11-25.1")
    run = Replay.objects.create(version=version, last=1000, state="done", asked_by="ada")
    for number in range(6):
        photo = decode_photo(encode(chelsea_from(number), "JPEG"))
        storage.keep(photo)
        logged = make_prediction("cat", photo=photo, answer="unsure" if number % 2 else "cat")
        if number < 3:
            make_feedback(logged, label="cat")
        ReplayedAnswer.objects.create(
            replay=run,
            prediction=logged,
            answer="dog" if number else "cat",
            label="dog",
            confidence=0.8,
            probabilities={"dog": 0.8, "cat": 0.2},
            inference_ms=9.5,
        )
    timing = {"photos": 6, "live": "2026-11-26.2", "live_ms": 11.2, "version_ms": 9.5}
    skipped = {"erased": 2, "broken": 0}
    run.summary = {**summary_of(run), "skipped": skipped, "side_by_side": timing}
    run.save()
    return run


def chelsea_from(left):
    from PIL import Image

    return Image.fromarray(chelsea()[:, left * 20 :])


def test_the_page_follows_a_run_to_its_verdict(maria, site, approved, monkeypatch):
    monkeypatch.setattr(tasks, "start", lambda run: None)
    maria.goto(site + "/runs")
    maria.get_by_role("button", name="Retrain now").click()
    expect(maria.locator(".far")).to_contain_text("Starting…")
    run = TrainingRun.objects.get()

    with at_work(run) as heart:
        heart.step(0.42, "Fitting heads")
        heart.note()
        expect(maria.locator(".far")).to_contain_text("42 % Fitting heads")
        heart.finish(outcome="unchanged", problem="Nothing was approved since.")

    expect(maria.get_by_role("heading", name="Nothing to learn")).to_be_visible()
    expect(maria.locator(".why")).to_have_text("Nothing was approved since.")
    expect(maria).to_have_title("Unchanged · catsdogs")


def test_a_run_can_be_cancelled_from_its_page(maria, site):
    run = make_run()
    maria.goto(f"{site}/runs/{run.pk}")

    maria.get_by_role("button", name="Cancel").click()

    expect(maria.get_by_role("heading", name="Cancelled")).to_be_visible()
    run.refresh_from_db()
    assert run.state == "cancelled"


def test_a_cell_of_the_matrix_leads_to_its_photos(maria, site):
    maria.goto(f"{site}/replays/{replayed().pk}")
    expect(maria.locator(".gallery li")).to_have_count(5)

    maria.get_by_role("link", name="3 photos, unsure before, dog now").click()

    expect(maria.locator(".gallery li")).to_have_count(3)
    expect(maria.get_by_role("heading", name="unsure before, dog now")).to_be_visible()
    shown = maria.locator(".gallery img").first
    expect(shown).to_have_js_property("complete", True)
    assert shown.evaluate("image => image.naturalWidth") > 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_everyone_can_use_each_page(maria, site, approved, scheme, size):
    finished, replay = judged(), replayed()
    running = make_run(
        state="running", progress=0.42, step="Fitting heads", log="Fitted one head.\n" * 40
    )
    maria.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    maria.set_viewport_size(size)
    paths = (f"/runs/{running.pk}", f"/runs/{finished.pk}", "/runs", "/replays")
    for path in (*paths, f"/replays/{replay.pk}"):
        maria.goto(site + path, wait_until="networkidle")

        found = Axe().run(maria)
        assert found.violations_count == 0, f"{path}: {found.generate_report()}"
        beyond = "document.documentElement.scrollWidth - window.innerWidth"
        assert maria.evaluate(beyond) <= 0, path
        targets = maria.locator("main :is(button, .button, .back, .when, td a, select, input)")
        boxes = [target.bounding_box() for target in targets.all() if target.is_visible()]
        assert [box for box in boxes if box["height"] < 44] == [], path


class TestWithoutJavaScript:
    @pytest.fixture
    def browser_context_args(self, browser_context_args):
        return {**browser_context_args, "java_script_enabled": False}

    def test_a_run_is_started_watched_and_cancelled(self, maria, site, approved, monkeypatch):
        monkeypatch.setattr(tasks, "start", lambda run: None)
        maria.goto(site + "/runs")
        maria.get_by_role("button", name="Retrain now").click()
        expect(maria.locator(".far")).to_contain_text("0 %")
        TrainingRun.objects.update(state="running", progress=0.42)

        maria.get_by_role("link", name="Look again").click()
        expect(maria.locator(".far")).to_contain_text("42 %")

        maria.get_by_role("button", name="Cancel").click()
        expect(maria.locator(".far")).to_contain_text("Stopping…")

    def test_the_verdict_is_there(self, maria, site):
        maria.goto(f"{site}/runs/{judged().pk}")

        expect(maria.get_by_role("heading", name="2026-11-25.1 was refused")).to_be_visible()
        expect(maria.locator(".checks tbody tr")).to_have_count(3)
