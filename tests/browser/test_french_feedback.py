"""The pages of the feedback in French: words are longer, and nothing may break on them."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import expect

from classifier.models import ModelVersion
from feedback.models import Replay, ReplayedAnswer
from feedback.replay_summary import summary_of
from tests.make import make_prediction, make_run, make_teaching

SIZES = {"phone": {"width": 320, "height": 640}, "laptop": {"width": 1280, "height": 800}}


@pytest.fixture
def browser_context_args(browser_context_args):
    return {**browser_context_args, "locale": "fr-FR"}


@pytest.fixture
def paths(site):
    """Each page, with something on it."""
    live = ModelVersion.objects.live().get()
    other = ModelVersion.objects.exclude(pk=live.pk).get()
    run = make_run(state="running", progress=0.42, heartbeat_at=timezone.now())
    done = make_run(state="done", outcome="unchanged", problem="Cancelled.")
    make_teaching(label="dog", version=live)
    replay = Replay.objects.create(version=other, last=1000, state="done")
    ReplayedAnswer.objects.create(
        replay=replay,
        prediction=make_prediction(version=live),
        answer="neither",
        label="dog",
        confidence=0.8,
        probabilities={"dog": 0.8, "cat": 0.2},
        inference_ms=9.0,
    )
    replay.summary = {**summary_of(replay), "skipped": {"erased": 1, "broken": 1}}
    replay.save()
    versions = ["/models", f"/models/{live}", f"/models/{other}/promote"]
    compared = f"/models/compare?a={live}&b={other}"
    runs = ["/runs", f"/runs/{run.pk}", f"/runs/{done.pk}", "/replays", f"/replays/{replay.pk}"]
    return ["/about", "/privacy", *versions, compared, *runs, "/review"]


@pytest.mark.parametrize("size", SIZES)
def test_each_page_fits_and_is_accessible(maria, site, paths, size):
    maria.set_viewport_size(SIZES[size])

    for path in paths:
        maria.goto(site + path)
        expect(maria.locator("html")).to_have_attribute("lang", "fr")
        maria.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        found = Axe().run(maria, options={"resultTypes": ["violations"]}).response["violations"]
        assert [(each["id"], each["nodes"][0]["html"]) for each in found] == [], path
        reach = "document.documentElement.scrollWidth - window.innerWidth"
        assert maria.evaluate(reach) <= 0, path


def test_drawings_and_bars_understand_their_numbers(maria, site, paths):
    live = ModelVersion.objects.live().get()

    maria.goto(f"{site}/models/{live}")
    drawn = maria.locator(".panel polyline").first.bounding_box()
    maria.goto(site + next(path for path in paths if path.startswith("/runs/")))
    bar = maria.locator("progress").first

    assert drawn and drawn["width"] > 100
    expect(bar).to_have_js_property("value", 0.42)


def test_a_photo_is_decided_with_the_keys_that_french_words_get(maria, site, paths):
    maria.goto(f"{site}/review")
    expect(maria.get_by_role("button", name="Chien")).to_have_attribute("data-key", "2")

    maria.keyboard.press("2")

    expect(maria.get_by_text("C’est noté\u202f: chien.").first).to_be_visible()


def test_an_opinion_is_given_in_french(page, site, cat):
    page.goto(site)
    page.locator("input[type=file]").first.set_input_files(cat)

    page.get_by_role("button", name="Oui", exact=True).click()

    expect(page.get_by_text("Merci\u202f!")).to_be_visible()
    expect(page.get_by_role("button", name="Non merci")).to_be_visible()
