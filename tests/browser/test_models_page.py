"""The pages of the versions, as a browser shows them: everywhere, to everyone, until all follow."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import expect

from classifier.models import ModelVersion, Server
from feedback.models import TrainingRun
from tests.make import make_version

SIZES = {"phone": {"width": 320, "height": 640}, "laptop": {"width": 1280, "height": 800}}
TARGETS = "main :is(button, summary, select, .button, .back, .tap, h2 a)"


@pytest.fixture
def candidate(site):
    """A refused version whose folder is gone: all that there may be to say of one."""
    live = ModelVersion.objects.live().get()
    row = make_version("9.1", created="2027-01-01T00:00:00+00:00", scores=live.scores)
    ModelVersion.objects.filter(pk=row.pk).update(withdrawn_photos=2, data_digest=live.data_digest)
    checks = [
        {"name": "base", "passed": False, "candidate": 0.9, "live": 0.95, "words": "Worse."},
        {"name": "latency", "passed": True, "candidate": 11, "live": 12, "limit": "1.2 times"},
    ]
    verdict = {"passed": False, "checks": checks}
    TrainingRun.objects.create(state="done", live=live, candidate=row, verdict=verdict)
    return row


def names():
    """The live version that ships, and the one beside it."""
    live = ModelVersion.objects.live().get().name
    return live, ModelVersion.objects.exclude(pk__in=[live, "9.1"]).first().name


def paths():
    live, other = names()
    compared = [f"/models/compare?a={live}&b={name}" for name in (other, "9.1")]
    own = [f"/models/{live}", f"/models/{other}", "/models/9.1", f"/models/{live}/card"]
    return ["/models", *own, *compared, f"/models/{other}/promote", "/models/rollback"]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_each_page_fits_is_accessible_and_keeps_its_policy(maria, site, candidate, theme, size):
    maria.emulate_media(color_scheme=theme, reduced_motion="reduce")
    maria.set_viewport_size(SIZES[size])
    server = {"host": "a-host-with-a-long-name.example", "pid": 1, "seen_at": timezone.now()}
    Server.objects.create(**server, version="9.1", problem="It cannot be loaded.")

    for path in paths():
        response = maria.goto(site + path)
        assert "unsafe" not in response.headers["content-security-policy"]
        maria.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        found = Axe().run(maria, options={"resultTypes": ["violations"]}).response["violations"]
        assert [(each["id"], each["nodes"][0]["html"]) for each in found] == [], path
        reach = "document.documentElement.scrollWidth - window.innerWidth"
        assert maria.evaluate(reach) <= 0, path
        boxes = [target.bounding_box() for target in maria.locator(TARGETS).all()]
        assert [box for box in boxes if box and box["height"] < 44] == [], path


def test_figures_are_seen(page, site):
    live, _ = names()
    page.goto(f"{site}/models/{live}")

    figure = page.locator(".gallery img").first
    figure.scroll_into_view_if_needed()

    expect(figure).to_have_js_property("complete", True)
    assert figure.evaluate("image => image.naturalWidth") > 0


def test_staff_let_a_version_answer_and_see_the_servers_follow(maria, site):
    live, other = names()
    server = Server.objects.create(host="web", pid=1, version=live, seen_at=timezone.now())
    maria.goto(site + "/models")
    maria.get_by_role("link", name=f"Let it answer… ({other})").click()
    maria.get_by_role("button", name=f"Let {other} answer").click()
    expect(maria.locator("#following")).to_have_text("Live. 0 of 1 server answers with it.")

    Server.objects.filter(pk=server.pk).update(version=other)

    expect(maria.locator("#following")).to_have_text("Live. 1 of 1 server answers with it.")
    expect(maria.locator("#following")).not_to_have_attribute("hx-trigger", "every 1s")
    assert ModelVersion.objects.live().get().name == other


@pytest.mark.parametrize("browser_context_args", [{"java_script_enabled": False}])
def test_all_of_it_works_without_javascript(maria, site):
    live, other = names()
    maria.goto(f"{site}/models/compare")
    maria.get_by_role("button", name="Compare").click()
    expect(maria.get_by_role("heading", name="Scores")).to_be_visible()

    maria.goto(f"{site}/models/{other}")
    maria.get_by_role("link", name="Let it answer…").click()
    maria.get_by_role("button", name=f"Let {other} answer").click()
    expect(maria.locator("#following")).to_contain_text("Live.")
    maria.get_by_role("link", name=f"Go back to {live}…").click()
    maria.get_by_role("button", name=f"Go back to {live}").click()

    expect(maria).to_have_url(f"{site}/models/{live}")
    assert ModelVersion.objects.live().get().name == live
