"""Why? shows where the model looked, in words and in colours, by mouse and keys, without script."""

import re

import pytest
from playwright.sync_api import expect


@pytest.fixture
def answered(page, site, cat):
    page.goto(site)
    page.set_input_files("#photo", cat)
    expect(page.get_by_text("Was I right?")).to_be_visible()
    return page


def is_loaded(image):
    return image.evaluate(
        "async (image) => { await image.decode(); return image.naturalWidth > 1 }"
    )


def box(locator):
    found = locator.bounding_box()
    return [round(found[side]) for side in ("x", "y", "width", "height")]


def test_the_heat_lies_over_the_card_s_own_photo_and_a_slider_fades_it(answered):
    fetched = []
    answered.on("request", lambda request: fetched.append(request.url))
    answered.get_by_text("Why?").click()
    expect(answered.locator(".why-words")).to_contain_text("What speaks for “cat” is mostly in the")
    expect(answered.locator(".why-words")).to_be_focused()  # so that it is read out

    photo, heat = answered.locator("#answer figure img").all()
    assert is_loaded(photo) and is_loaded(heat)
    assert box(photo) == pytest.approx(box(heat), abs=1)
    assert len([url for url in fetched if "/photos/" in url]) == 1  # the heat alone

    slider = answered.get_by_role("slider", name="Heat")
    slider.focus()
    answered.keyboard.press("Home")
    expect(heat).to_have_css("opacity", "0")
    for _ in range(10):
        answered.keyboard.press("ArrowRight")
    expect(heat).to_have_css("opacity", "0.5")
    expect(slider).to_have_attribute("aria-valuetext", "50 %")


def test_another_label_can_be_asked_about(answered):
    answered.get_by_text("Why?").click()
    answered.get_by_role("link", name="What speaks for “dog”?").click()

    expect(answered.locator(".why-words")).to_contain_text("“dog”")
    expect(answered.get_by_role("link", name="What speaks for “cat”?")).to_be_visible()
    expect(answered.locator("#answer .heat")).to_have_count(1)
    expect(answered.locator("#answer .heat")).to_have_attribute("src", re.compile("label=dog"))


def test_the_heat_goes_when_the_why_is_closed(answered):
    answered.get_by_text("Why?").click()
    expect(answered.locator("#answer .heat")).to_be_visible()

    answered.get_by_text("Why?").click()
    expect(answered.locator("#answer .heat")).to_be_hidden()
    expect(answered.get_by_alt_text("Your photo")).to_be_visible()


def test_on_a_phone_the_photo_stays_in_sight_beside_its_words(answered):
    answered.set_viewport_size({"width": 390, "height": 844})
    answered.get_by_text("Why?").click()

    expect(answered.get_by_role("slider", name="Heat")).to_be_in_viewport()
    expect(answered.locator("#answer .heat")).to_be_in_viewport(ratio=0.9)


def test_a_heat_map_that_did_not_come_is_there_when_asked_again(answered):
    busy = {"status": 503, "content_type": "text/html", "body": "<article>Not just now</article>"}
    answered.route("**/why/", lambda route: route.fulfill(**busy))
    answered.get_by_text("Why?").click()
    expect(answered.get_by_text("I could not fetch it.")).to_be_visible()
    expect(answered.get_by_text("Not just now")).to_have_count(0)

    answered.unroute("**/why/")
    answered.route("**/why/", lambda route: route.abort("internetdisconnected"))
    answered.get_by_text("Why?").click()
    answered.get_by_text("Why?").click()
    expect(answered.get_by_role("link", name="See what I looked at")).to_be_visible()
    expect(answered.get_by_role("heading", name="It’s a cat")).to_be_visible()

    answered.unroute("**/why/")
    answered.get_by_text("Why?").click()
    answered.get_by_text("Why?").click()

    expect(answered.locator(".why-words")).to_contain_text("“cat”")


def test_without_javascript_it_is_a_page(browser, site, cat):
    page = browser.new_page(java_script_enabled=False)
    page.goto(site)
    page.set_input_files("#photo", cat)
    page.get_by_role("button", name="Ask").click()
    page.get_by_text("Why?").click()
    page.get_by_role("link", name="See what I looked at").click()

    expect(page.get_by_role("heading", name="Why “cat”?")).to_be_visible()
    assert all(
        image.evaluate("image => image.naturalWidth > 1")
        for image in page.locator(".why-picture img").all()
    )
    expect(page.get_by_role("slider")).to_be_hidden()
    page.get_by_role("link", name="Back to the answer").click()
    expect(page.locator("#answer h2")).to_have_text("It’s a cat")
    page.close()
