"""From a phone to a projector, on every page, under a strict content security policy."""

import pytest
from playwright.sync_api import expect

from tests.browser.people import log_in

PHONE = {"width": 320, "height": 640}
TARGETS = "button, summary, nav a, .brand, .zone, .switch, input[type=text]"


def overflow(page):
    """How far the page reaches beyond the window's right side, in pixels."""
    return page.evaluate("document.documentElement.scrollWidth - window.innerWidth")


def test_a_phone_shows_all_without_scrolling_sideways(page, site, cat):
    page.set_viewport_size(PHONE)
    page.goto(site)
    assert overflow(page) <= 0

    page.set_input_files("#photo", cat)
    page.get_by_text("Wrong").click()
    page.get_by_text("How I got there").click()

    expect(page.get_by_role("button", name="Dog")).to_be_in_viewport()
    assert overflow(page) <= 0


def test_all_that_is_clicked_is_large_enough_for_a_thumb(page, site, cat):
    page.set_viewport_size(PHONE)
    page.goto(site)
    page.set_input_files("#photo", cat)
    page.get_by_text("Wrong").click()

    targets = [target for target in page.locator(TARGETS).all() if target.is_visible()]
    boxes = [target.bounding_box() for target in targets]
    small = [box for box in boxes if box and (box["height"] < 44 or box["width"] < 44)]

    assert len(targets) >= 12
    assert small == []


def test_a_keyboard_reaches_all_in_the_order_in_which_it_is_seen(page, quick_site, cat):
    page.goto(quick_site)
    page.set_input_files("#photo", cat)
    expect(page.get_by_text("Was I right?")).to_be_visible()
    page.get_by_role("link", name="Classify").focus()
    stops = ["History", "Models", "API", "photo", "A tabby", "A puppy", "Breakfast", "originals"]
    stops += ["Right", "Wrong", "Why?", "How I got there", "Erase this photo and answer"]
    stops += ["About", "Privacy"]

    reached = []
    for _ in stops:
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate(
                "(at => at.id || at.innerText.trim() || at.querySelector('img')?.alt)"
                "(document.activeElement)"
            )
        )

    assert reached == stops


def test_a_printed_page_keeps_the_answers_and_leaves_the_buttons(page, quick_site, cat):
    page.goto(quick_site)
    page.set_input_files("#photo", cat)
    expect(page.get_by_text("Was I right?")).to_be_visible()

    page.emulate_media(media="print")

    expect(page.get_by_role("heading", name="It’s a cat")).to_be_visible()
    for name in ("Right", "A tabby"):
        expect(page.get_by_role("button", name=name)).to_be_hidden()
    expect(page.get_by_text("Why?")).to_be_hidden()


@pytest.mark.parametrize("path", ["/", "/api/", "/api/predictions", "/api/predict", "/nowhere/"])
def test_no_page_breaks_its_policy(page, site, path):
    response = page.goto(site + path, wait_until="networkidle")

    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    expect(page.locator("body")).to_contain_text("catsdogs")


def test_the_api_s_documentation_works_under_the_policy(page, site):
    page.goto(site + "/api/docs")

    expect(page.get_by_text("/api/predict", exact=True)).to_be_visible()


def test_the_browsable_api_leads_home(page, site):
    page.goto(site + "/api/")

    page.get_by_role("link", name="catsdogs").click()

    expect(page.get_by_role("heading", name="Cat or dog?")).to_be_visible()


def test_the_admin_works_under_the_policy(page, site, cat, admin_client):
    log_in(page, site, admin_client)
    page.goto(site)
    page.set_input_files("#photo", cat)
    expect(page.locator("#answer h2")).to_have_text("It’s a cat")

    page.get_by_role("link", name="Admin").click()
    page.get_by_role("link", name="Predictions").first.click()
    expect(page.locator("#result_list tbody tr")).to_have_count(1)
    page.locator("#result_list tbody a").first.click()

    expect(page.locator("#content")).to_contain_text("cat")


@pytest.mark.parametrize("template", ["400", "403", "403_csrf", "404", "500", "503"])
def test_error_pages_need_nothing_but_themselves(template, settings):
    from django.template.loader import get_template

    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"},
    }

    assert "catsdogs.css" in get_template(f"{template}.html").render()
