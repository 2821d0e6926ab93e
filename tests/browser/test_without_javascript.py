"""No script, no htmx: forms, links and whole pages do the same."""

import pytest
from playwright.sync_api import expect

from classifier.models import Prediction
from feedback.models import Feedback


@pytest.fixture
def browser_context_args(browser_context_args):
    return {**browser_context_args, "java_script_enabled": False}


def ask(page, file):
    page.set_input_files("#photo", file)
    page.get_by_role("button", name="Ask").click()


def test_a_photo_is_answered_and_the_opinion_kept(page, site, cat):
    page.goto(site)
    ask(page, cat)
    expect(page).to_have_title("It’s a cat · catsdogs")
    expect(page.locator("#answer h2")).to_have_text("It’s a cat")

    page.get_by_text("Wrong").click()
    page.get_by_role("button", name="Dog").click()

    expect(page.locator(".thanks")).to_contain_text("You said: dog")
    assert page.url == site + Prediction.objects.get().get_absolute_url()
    assert Feedback.objects.get().label == "dog"


def test_what_needs_a_script_is_not_offered(page, site):
    page.goto(site)

    expect(page.get_by_role("button", name="Ask")).to_be_visible()
    expect(page.locator("#photo")).not_to_have_attribute("multiple", "")
    for needs_script in (".samples", ".switch", ".camera", ".pick", "#summary"):
        expect(page.locator(needs_script)).to_be_hidden()


def test_links_lead_from_page_to_page(page, site):
    page.goto(site)
    for name, title in (("History", "Your photos"), ("About", "How I tell them apart")):
        page.get_by_role("link", name=name, exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(title)
    page.go_back()

    expect(page).to_have_title("History · catsdogs")
    expect(page.locator("nav [aria-current=page]")).to_have_text("History")
    expect(page.locator("#astray")).to_be_hidden()


def test_a_text_is_refused_with_its_reason(page, site):
    page.goto(site)

    ask(page, {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"oops"})

    expect(page.locator("#answer")).to_contain_text("JPEG")
    expect(page).to_have_title("No answer · catsdogs")
    assert not Prediction.objects.exists()
