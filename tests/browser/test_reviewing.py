"""A reviewer walks through photos with the keyboard, a thumb, or no script at all."""

import pytest
from playwright.sync_api import expect

from classifier.models import Prediction
from feedback.models import Review
from tests.browser.people import log_in
from tests.browser.test_accessible import SIZES, violations
from tests.make import make_feedback, make_staff, make_teaching


@pytest.fixture
def reviewer(db):
    return make_staff()


@pytest.fixture
def inside(page, site, reviewer, client):
    """A page of somebody who may review."""
    client.force_login(reviewer)
    log_in(page, site, client)
    return page


def come(page, site):
    """To the page of reviews, where keys are listened to: that begins after what is seen."""
    page.goto(site + "/review")
    expect(page.locator("#keys")).to_be_enabled()


def teach(count):
    return [make_teaching(number=number) for number in range(count)]


def left(page):
    return page.locator(".left")


def shown(page):
    """The prediction whose photo is on the screen."""
    return Prediction.objects.get(pk=page.locator("figure img").get_attribute("src").split("/")[2])


def heading(page):
    return page.get_by_role("heading", name="What does it show?")


def test_three_photos_are_walked_through_with_the_keyboard(inside, site):
    teach(4)
    come(inside, site)
    expect(left(inside)).to_have_text("4 left")
    expect(heading(inside)).to_be_focused()

    inside.keyboard.press("c")
    expect(left(inside)).to_have_text("3 left")
    expect(heading(inside)).to_be_focused()
    inside.keyboard.press("d")
    expect(left(inside)).to_have_text("2 left")
    undone = Review.objects.get(label="dog").prediction

    inside.keyboard.press("u")
    expect(left(inside)).to_have_text("3 left")
    assert shown(inside) == undone
    inside.keyboard.press("n")
    expect(left(inside)).to_have_text("2 left")

    skipped = shown(inside)
    inside.keyboard.press("s")
    expect(inside.locator(".notice")).to_contain_text("Skipped")
    expect(left(inside)).to_have_text("2 left")
    assert shown(inside) != skipped
    inside.keyboard.press("x")
    expect(left(inside)).to_have_text("1 left")
    assert shown(inside) == skipped
    inside.keyboard.press("c")

    expect(inside.get_by_role("heading", name="Nothing to review")).to_be_focused()
    expect(inside).to_have_title("Nothing to review · catsdogs")
    labels = sorted(Review.objects.decided().values_list("label", flat=True))
    assert labels == ["", "cat", "cat", "neither"]
    assert Review.objects.get(prediction=undone).label == "neither"


def test_what_happened_is_said_to_those_who_listen(inside, site):
    teach(2)
    come(inside, site)

    inside.get_by_role("button", name="Dog").click()

    expect(inside.locator("#said")).to_have_text("Noted: dog. 1 left")
    expect(inside).to_have_title("Review: 1 left · catsdogs")


def test_the_keys_can_be_turned_off_and_stay_so(inside, site):
    teach(2)
    come(inside, site)
    inside.get_by_label("Decide with the keys").uncheck()
    inside.reload()
    expect(inside.get_by_label("Decide with the keys")).to_be_enabled()

    inside.keyboard.press("c")
    inside.get_by_role("button", name="Dog").click()

    expect(left(inside)).to_have_text("1 left")
    assert Review.objects.decided().get().label == "dog"


def test_a_command_of_the_browser_is_no_decision(inside, site):
    teach(2)
    come(inside, site)

    for command in ("Control+c", "Alt+d", "Meta+n"):
        inside.keyboard.press(command)
    inside.keyboard.press("d")

    expect(left(inside)).to_have_text("1 left")
    assert Review.objects.decided().get().label == "dog"


def test_a_decision_lost_on_the_way_can_be_made_again(inside, site):
    teach(1)
    # Before the page comes: a page that is there may send one more request past a new route.
    inside.route("**/review/**", lambda route: route.abort("internetdisconnected"))
    come(inside, site)
    inside.keyboard.press("d")
    expect(inside.get_by_text("Nothing is lost: try again.")).to_be_visible()

    inside.unroute("**/review/**")
    inside.keyboard.press("d")

    expect(inside.get_by_role("heading", name="Nothing to review")).to_be_visible()
    expect(inside.get_by_text("Nothing is lost")).to_be_hidden()


def test_who_is_logged_out_meanwhile_is_sent_to_log_in(inside, site):
    teach(1)
    come(inside, site)
    inside.context.clear_cookies(name="sessionid")

    inside.keyboard.press("d")

    inside.wait_for_url("**/admin/login/?next=/review")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_it_is_accessible_and_fits(inside, site, theme, size):
    inside.emulate_media(color_scheme=theme, reduced_motion="reduce")
    inside.set_viewport_size(SIZES[size])
    said = make_teaching()
    make_feedback(said.prediction, person="user:7", label="neither", comment="fox " * 200)
    come(inside, site)
    assert violations(inside) == []
    assert inside.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    expect(inside.get_by_role("button", name="Leave out")).to_be_in_viewport(ratio=1)
    boxes = [button.bounding_box() for button in inside.locator("#review button").all()]
    assert min(box["height"] for box in boxes) >= 44

    inside.get_by_role("button", name="Dog").click()
    expect(inside.get_by_role("heading", name="Nothing to review")).to_be_visible()
    assert violations(inside) == []


class TestWithoutJavaScript:
    @pytest.fixture
    def browser_context_args(self, browser_context_args):
        return {**browser_context_args, "java_script_enabled": False}

    def test_it_is_walked_through_with_plain_forms(self, inside, site):
        teach(3)
        inside.goto(site + "/review")

        inside.get_by_role("button", name="Dog").click()
        expect(left(inside)).to_have_text("2 left")
        expect(inside.locator(".notice")).to_have_text("Noted: dog.")
        inside.get_by_role("button", name="Undo").click()
        expect(left(inside)).to_have_text("3 left")
        inside.get_by_role("button", name="Skip").click()
        expect(inside.locator(".notice")).to_contain_text("Skipped")
        inside.get_by_role("button", name="Leave out").click()

        expect(left(inside)).to_have_text("2 left")
        assert inside.url == site + "/review"
        assert Review.objects.decided().get().label == ""
        expect(inside.locator("kbd").first).to_be_hidden()
