"""A link brings the next page into the frame: title, focus, history and scripts as if it had been loaded."""

import pytest
from playwright.sync_api import expect

from tests.browser.many import card, drawings, hold


def is_same_document(page):
    return page.evaluate("window.mark === true")


@pytest.fixture
def home(page, quick_site):
    page.goto(quick_site)
    page.evaluate("window.mark = true")
    return page


def follow(page, name):
    page.get_by_role("navigation", name="Main").get_by_role("link", name=name).click()


def heading(page):
    return page.get_by_role("heading", level=1)


def test_a_link_swaps_the_page_and_not_the_document(home, quick_site):
    follow(home, "History")

    expect(home).to_have_url(f"{quick_site}/history")
    expect(home).to_have_title("History · catsdogs")
    expect(heading(home)).to_be_focused()
    expect(heading(home)).to_have_text("Your photos")
    expect(home.locator("nav [aria-current=page]")).to_have_text("History")
    assert is_same_document(home)


def test_back_and_forward_go_where_they_say(home, quick_site):
    follow(home, "History")
    expect(heading(home)).to_have_text("Your photos")
    follow(home, "Models")
    expect(heading(home)).to_have_text("Models")

    home.go_back()
    expect(heading(home)).to_have_text("Your photos")
    expect(home).to_have_title("History · catsdogs")
    home.go_back()
    expect(heading(home)).to_have_text("Cat or dog?")
    home.go_forward()
    expect(heading(home)).to_have_text("Your photos")
    expect(heading(home)).to_be_focused()
    expect(home).to_have_url(f"{quick_site}/history")
    assert is_same_document(home)


def test_photos_on_their_way_arrive_while_another_page_is_looked_at(home):
    held = hold(home)
    home.set_input_files("#photo", drawings(2))
    expect(home.locator("[data-state=sending]")).to_have_count(2)
    follow(home, "History")
    expect(heading(home)).to_have_text("Your photos")

    for each in held:
        each.continue_()
    expect(home.locator("#said")).to_contain_text("0.png: It’s a cat. 98 % sure")
    home.go_back()

    expect(home.locator("[data-answer=cat]")).to_have_count(2)
    expect(card(home, "1.png").get_by_role("heading")).to_have_text("It’s a cat")
    expect(home.locator(".summary .done")).to_have_text("2 of 2 answered")
    card(home, "1.png").get_by_role("button", name="Right").click()
    expect(card(home, "1.png").locator(".thanks")).to_contain_text("You said: cat")
