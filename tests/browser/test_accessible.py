"""Every page, in both themes, on a phone and on a laptop: axe finds nothing to object to."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.many import card, drawings, hold

# What WCAG 2.2 AA asks for, and axe's own good practice.
OPTIONS = {"resultTypes": ["violations"]}
SIZES = {"phone": {"width": 360, "height": 740}, "laptop": {"width": 1280, "height": 800}}


def violations(page):
    """What axe objects to, and where."""
    found = Axe().run(page, options=OPTIONS).response["violations"]
    return [(each["id"], [node["html"][:120] for node in each["nodes"]]) for each in found]


@pytest.fixture(params=["light", "dark"])
def theme(request, page):
    # Colours that are on their way from one to the other have a contrast of their own.
    page.emulate_media(color_scheme=request.param, reduced_motion="reduce")
    return request.param


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("path", ["/", "/history", "/about", "/ml-test-score", "/nowhere/"])
def test_a_page_for_everyone(page, site, theme, size, path):
    page.set_viewport_size(SIZES[size])
    page.goto(site + path)

    assert violations(page) == []


@pytest.mark.parametrize("size", SIZES)
def test_photos_on_their_way_and_in_trouble(page, quick_site, theme, size):
    page.set_viewport_size(SIZES[size])
    page.goto(quick_site)
    hold(page)
    page.set_input_files("#photo", drawings(6))
    page.set_input_files("#photo", {"name": "a.txt", "mimeType": "text/plain", "buffer": b"a"})
    expect(page.locator("[data-state=sending]")).to_have_count(4)
    expect(page.locator("[data-state=not-a-photo]")).to_have_count(1)
    card(page, "0.png").get_by_role("button", name="Cancel").click()
    expect(page.locator("[data-state=stopped]")).to_have_count(1)

    assert violations(page) == []


@pytest.mark.parametrize("size", SIZES)
def test_an_answer_with_its_questions(page, site, theme, size, cat):
    page.set_viewport_size(SIZES[size])
    page.goto(site)
    page.set_input_files("#photo", cat)
    expect(page.get_by_text("Was I right?")).to_be_visible()
    page.get_by_text("How I got there").click()
    page.get_by_text("Why?").click()
    expect(page.locator(".why-words")).to_be_focused()
    assert violations(page) == []

    page.get_by_role("button", name="Right").click()
    expect(page.get_by_text("Thank you!")).to_be_visible()
    assert violations(page) == []


@pytest.mark.parametrize("size", SIZES)
def test_a_history_and_a_heat_map_of_its_own(page, site, theme, size, cat):
    page.set_viewport_size(SIZES[size])
    page.goto(site)
    page.set_input_files("#photo", cat)
    page.get_by_role("button", name="Right").click()
    expect(page.get_by_text("Thank you!")).to_be_visible()
    why = page.locator(".why-place a").get_attribute("href")

    page.goto(site + "/history")
    page.locator(".entry summary").click()
    assert violations(page) == []

    page.goto(site + why)
    assert violations(page) == []
