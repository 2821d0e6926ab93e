"""One's own photos: older ones come while scrolling, each can be erased; without script too."""

import re

import pytest
from playwright.sync_api import expect

from classifier.history import PAGE
from classifier.models import ModelVersion, Prediction
from tests.make import make_prediction


@pytest.fixture
def past(page, site, cat):
    """Somebody who sent one photo, and was answered often."""
    page.goto(site)
    page.set_input_files("#photo", cat)
    expect(page.get_by_text("Was I right?")).to_be_visible()
    first = Prediction.objects.get()
    version = ModelVersion.objects.get(pk=first.version_id)
    for _ in range(2 * PAGE):
        make_prediction("dog", person=first.person, version=version, photo_is_kept=False)
    return page


def test_older_ones_come_by_themselves(past, site):
    past.goto(site + "/history")
    entries = past.locator(".entry")
    expect(entries).to_have_count(PAGE)
    assert past.locator("time[data-local]").count() == PAGE

    past.locator(".older").scroll_into_view_if_needed()
    expect(entries).to_have_count(2 * PAGE)
    expect(past.locator("#told")).to_have_text(f"{PAGE} older ones are here.")
    past.locator(".older").scroll_into_view_if_needed()

    expect(entries).to_have_count(2 * PAGE + 1)
    expect(past.locator(".older")).to_have_count(0)
    photo = entries.last.locator("img")
    photo.scroll_into_view_if_needed()
    expect(photo).to_have_js_property("complete", True)
    assert photo.evaluate("image => image.naturalWidth") == 320


def test_a_phone_shows_two_in_a_row_and_nothing_beyond_its_edge(past, site):
    past.set_viewport_size({"width": 320, "height": 640})
    past.goto(site + "/history")

    tops = [past.locator(".entry").nth(number).bounding_box()["y"] for number in range(3)]
    assert tops[0] == tops[1] < tops[2]
    assert past.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0


def test_an_entry_goes_once_it_is_erased_and_the_focus_stays_near(past, site):
    past.goto(site + "/history")
    entry = past.locator(".entry").first
    gone, neighbour = entry.get_attribute("id"), past.locator(".entry").nth(1)
    neighbour_id = neighbour.get_attribute("id")

    entry.locator("summary").click()
    assert Prediction.objects.count() == 2 * PAGE + 1
    entry.get_by_role("button", name="Erase for good").click()

    expect(past.locator(f"#{gone}")).to_have_count(0)
    expect(past.locator(f"#{neighbour_id} a")).to_be_focused()
    expect(past.locator("#told")).to_have_text("Erased.")
    assert Prediction.objects.count() == 2 * PAGE


def test_an_erasing_lost_on_the_way_can_be_tried_again(past, site):
    past.goto(site + "/history?answer=cat")
    past.route("**/erase/", lambda route: route.abort("internetdisconnected"))
    past.locator(".entry summary").click()
    past.get_by_role("button", name="Erase for good").click()
    expect(past.get_by_role("alert")).to_contain_text("nothing has changed")
    expect(past.locator(".entry")).to_have_count(1)

    past.unroute("**/erase/")
    past.get_by_role("button", name="Erase for good").click()

    expect(past.get_by_role("heading", name="None of them")).to_be_visible()


def test_without_javascript_older_ones_are_a_link_and_erasing_a_form(browser, past, site):
    page = browser.new_page(java_script_enabled=False, storage_state=past.context.storage_state())
    page.goto(site + "/history")
    page.get_by_role("link", name="Older ones").click()
    page.get_by_role("link", name="Older ones").click()
    expect(page.locator(".entry")).to_have_count(1)

    page.locator(".entry summary").click()
    page.get_by_role("button", name="Erase for good").click()

    expect(page.get_by_role("status").first).to_have_text(re.compile("Erased"))
    assert not Prediction.objects.filter(label="cat").exists()
    page.close()
