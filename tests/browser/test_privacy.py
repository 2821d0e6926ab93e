"""Consent: asked in place after an opinion, looked after on a page of its own."""

import pytest
from playwright.sync_api import expect

from classifier.models import Prediction
from feedback.models import Consent, Feedback
from tests.browser.test_accessible import SIZES, violations

QUESTION = "May I learn from the photos you tell me about?"


@pytest.fixture
def told(page, site, cat):
    """A page on which somebody has just said that we were right."""
    page.goto(site)
    page.set_input_files("#photo", cat)
    page.get_by_role("button", name="Right").click()
    expect(page.get_by_text(QUESTION)).to_be_visible()
    return page


def test_it_is_asked_once_and_yes_counts_from_then_on(told, cat):
    told.get_by_role("button", name="Yes, learn from them").click()
    expect(told.get_by_text("I may keep this photo and learn from it.")).to_be_visible()
    expect(told.locator(".thanks")).to_be_focused()

    told.set_input_files("#photo", cat)
    told.get_by_text("Wrong").click()
    told.get_by_role("button", name="Dog").click()

    expect(told.get_by_text("I may keep this photo and learn from it.")).to_have_count(2)
    expect(told.get_by_text(QUESTION)).to_have_count(0)
    assert Feedback.objects.to_learn_from().count() == 2


def test_no_is_taken_for_an_answer(told):
    told.get_by_role("button", name="No, thanks").click()

    expect(told.get_by_role("button", name="You may learn from this one")).to_be_visible()
    expect(told.get_by_text(QUESTION)).to_have_count(0)
    assert not Consent.objects.get().may_learn


def test_it_is_taken_back_and_all_is_erased_on_the_privacy_page(told, site):
    told.get_by_role("button", name="Yes, learn from them").click()
    expect(told.get_by_text("I may keep this photo")).to_be_visible()
    told.get_by_role("link", name="Privacy").click()
    expect(told.locator(".counts")).to_contain_text("1")

    told.get_by_role("button", name="Take it back for all my photos").click()
    expect(told.locator(".notice")).to_contain_text("Taken back")
    assert not Feedback.objects.to_learn_from().exists()

    told.get_by_text("Erase everything of mine …").click()
    told.get_by_role("button", name="Yes, erase everything of mine").click()
    expect(told.locator(".notice")).to_contain_text("Erased")
    assert not Prediction.objects.exists()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_it_is_accessible_and_fits(told, site, theme, size):
    told.emulate_media(color_scheme=theme, reduced_motion="reduce")
    told.set_viewport_size(SIZES[size])
    assert violations(told) == []

    told.goto(site + "/privacy")
    told.get_by_text("Erase everything of mine …").click()

    assert violations(told) == []
    assert told.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0


class TestWithoutJavaScript:
    @pytest.fixture
    def browser_context_args(self, browser_context_args):
        return {**browser_context_args, "java_script_enabled": False}

    def test_consent_and_erasing_need_no_script(self, page, site, cat):
        page.goto(site)
        page.set_input_files("#photo", cat)
        page.get_by_role("button", name="Ask").click()
        page.get_by_role("button", name="Right").click()
        page.get_by_role("button", name="Yes, learn from them").click()
        expect(page.get_by_text("I may keep this photo and learn from it.")).to_be_visible()

        page.get_by_role("link", name="Privacy").click()
        button = page.get_by_role("button", name="Yes, erase everything of mine")
        expect(button).to_be_hidden()
        page.get_by_text("Erase everything of mine …").click()
        button.click()

        expect(page.locator(".notice")).to_contain_text("Erased")
        assert not Prediction.objects.exists()
        assert not Consent.objects.exists()
