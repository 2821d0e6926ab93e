"""Pages come and go in French as in English; changing the language loads the page anew."""

import pytest
from playwright.sync_api import expect

from tests.browser.links import arrived, follow, is_same_document
from tests.browser.many import drawings


@pytest.fixture
def browser_context_args(browser_context_args):
    return {**browser_context_args, "locale": "fr-FR"}


def test_a_french_reader_stays_in_french_and_may_change(page, quick_site):
    page.goto(quick_site)
    page.evaluate("window.mark = true")
    page.set_input_files("#photo", drawings(1))
    expect(page.locator("#answer h2")).to_have_text("C’est un chat")
    follow(page, "Historique")
    arrived(page, "Vos photos")
    assert is_same_document(page)

    page.get_by_role("button", name="English").click()
    expect(page).to_have_url(f"{quick_site}/history")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your photos")
    assert not is_same_document(page)
    follow(page, "Classify")

    arrived(page, "Cat or dog?")
    expect(page.locator("html")).to_have_attribute("lang", "en")
