"""The site in French: found by itself, changed by a switch that is kept, also without scripts."""

import pytest
from playwright.sync_api import expect


@pytest.fixture
def browser_context_args(browser_context_args):
    return {**browser_context_args, "locale": "fr-FR"}


def switch(page, name):
    page.locator(".languages").get_by_role("button", name=name).click()


def test_a_french_browser_gets_french_and_may_choose_english(page, quick_site):
    page.goto(quick_site)
    expect(page.get_by_role("heading", name="Chat ou chien")).to_be_visible()

    switch(page, "English")

    expect(page.get_by_role("heading", name="Cat or dog?")).to_be_visible()
    page.get_by_role("link", name="History").click()
    expect(page.get_by_role("heading", name="Nothing here yet")).to_be_visible()
    page.goto(f"{quick_site}/about")
    expect(page.locator("html")).to_have_attribute("lang", "en")

    switch(page, "Français")

    expect(page.locator("html")).to_have_attribute("lang", "fr")
    expect(page).to_have_url(f"{quick_site}/about")


def test_the_switch_stays_on_the_page_with_its_question(page, quick_site):
    page.goto(f"{quick_site}/history?said=right")

    switch(page, "English")

    expect(page).to_have_url(f"{quick_site}/history?said=right")
    expect(page.get_by_role("heading", name="None of them")).to_be_visible()


def test_a_photo_is_answered_in_french(page, site, cat):
    page.goto(site)

    page.locator("#photo").set_input_files([cat])

    expect(page.get_by_role("heading", name="C’est un chat")).to_be_visible()
    expect(page.locator(".card .sure")).to_contain_text("Sûr à 99,9")
    page.locator(".why summary").click()
    expect(page.locator(".why-words")).to_contain_text("ce qui fait penser à")


def test_what_the_script_says_is_in_french(page, quick_site, cat):
    page.goto(quick_site)
    text = {"name": "lettre.txt", "mimeType": "text/plain", "buffer": b"Bonjour"}

    page.locator("#photo").set_input_files([text, cat])

    expect(page.get_by_text("lettre.txt\N{NARROW NO-BREAK SPACE}» n’est pas")).to_be_visible()
    expect(page.locator("#summary .done")).to_have_text("Répondu\N{NARROW NO-BREAK SPACE}: 1 sur 2")
    expect(page.locator("#summary li:visible")).to_have_text(["1 chat", "1 sans réponse"])


class TestWithoutScripts:
    @pytest.fixture
    def browser_context_args(self, browser_context_args):
        return {**browser_context_args, "java_script_enabled": False}

    def test_the_switch_works(self, page, quick_site, cat):
        page.goto(quick_site)
        page.locator("#photo").set_input_files([cat])
        page.get_by_role("button", name="Demander").click()
        expect(page.get_by_role("heading", name="C’est un chat")).to_be_visible()

        switch(page, "English")

        expect(page.get_by_role("heading", name="It’s a cat")).to_be_visible()
        page.get_by_role("link", name="History").click()
        expect(page.get_by_role("heading", name="Your photos")).to_be_visible()


@pytest.mark.parametrize("width", [320, 390, 1280])
@pytest.mark.parametrize("path", ["/", "/history", "/nowhere", "/api/docs"])
def test_french_fits_the_page(page, quick_site, path, width):
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"{quick_site}{path}")

    wide = page.evaluate("document.documentElement.scrollWidth")

    assert wide <= width
