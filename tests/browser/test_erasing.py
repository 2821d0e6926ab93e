"""A photo and its answer can be erased where they are shown, after a second thought."""

import pytest
from playwright.sync_api import expect

from classifier.models import Prediction


@pytest.fixture
def answered(page, site, cat):
    page.goto(site)
    page.set_input_files("#photo", cat)
    expect(page.get_by_text("Was I right?")).to_be_visible()
    return page


def test_erasing_takes_a_second_click_and_says_that_it_is_done(answered):
    answered.get_by_text("Erase this photo and answer").click()
    expect(answered.get_by_text("gone for good")).to_be_visible()
    assert Prediction.objects.exists()

    answered.get_by_role("button", name="Erase for good").click()

    expect(answered.get_by_role("heading", name="It is gone")).to_be_visible()
    expect(answered.locator("#said")).to_contain_text("have been erased")
    assert not Prediction.objects.exists()


def test_an_erasing_lost_on_the_way_can_be_tried_again(answered):
    answered.route("**/erase/", lambda route: route.abort("internetdisconnected"))
    answered.get_by_text("Erase this photo and answer").click()
    answered.get_by_role("button", name="Erase for good").click()
    expect(answered.get_by_role("heading", name="The network went away")).to_be_visible()
    assert Prediction.objects.exists()

    answered.unroute("**/erase/")
    answered.get_by_role("button", name="Erase for good").click()

    expect(answered.get_by_role("heading", name="It is gone")).to_be_visible()


def test_the_receipt_is_a_click_away(answered):
    answered.get_by_text("How I got there").click()
    answered.get_by_role("link", name="what made this answer").click()

    expect(answered.locator("body")).to_contain_text("weights_sha256")


def test_without_javascript_it_is_a_form_and_a_page(browser, site, cat):
    page = browser.new_page(java_script_enabled=False)
    page.goto(site)
    page.set_input_files("#photo", cat)
    page.get_by_role("button", name="Ask").click()
    page.get_by_text("Erase this photo and answer").click()
    page.get_by_role("button", name="Erase for good").click()

    expect(page.locator("#answer")).to_contain_text("have been erased")
    assert page.url == f"{site}/?erased"
    assert not Prediction.objects.exists()
    page.close()
