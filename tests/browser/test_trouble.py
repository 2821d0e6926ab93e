"""What goes wrong on the way is said in the photo's card, and nothing is lost."""

import pytest
from playwright.sync_api import expect

from classifier import serving
from classifier.models import ModelVersion, Prediction
from tests.browser.many import card, drawings, hold

NAME = "0.png"


@pytest.fixture
def home(page, quick_site):
    """The page, with a clock that the test can turn on."""
    page.clock.install()
    page.goto(quick_site)
    return page


def choose(page, count=1):
    page.set_input_files("#photo", drawings(count))


def title(page, name=NAME):
    return card(page, name).get_by_role("heading", level=2)


def press(page, button, name=NAME):
    card(page, name).get_by_role("button", name=button).click()


def answer_with(page, **response):
    page.route("**/classify/", lambda route: route.fulfill(**response))


def lose_the_network(page):
    page.route("**/classify/", lambda route: route.abort("connectionreset"))


def mend(page):
    page.unroute("**/classify/")


def test_a_lost_connection_is_tried_again_by_itself(home):
    lose_the_network(home)
    choose(home)
    expect(title(home)).to_have_text("The network went away")
    expect(card(home, NAME)).to_contain_text("I try again by myself in 2 s")
    expect(card(home, NAME).locator("figure img")).to_be_visible()

    mend(home)
    home.clock.run_for(3_000)

    expect(title(home)).to_have_text("It’s a cat")


def test_after_some_tries_it_waits_for_a_click_or_for_the_network(home):
    lose_the_network(home)
    choose(home)
    for seconds in (2, 4, 8):
        expect(card(home, NAME)).to_contain_text(f"by myself in {seconds} s")
        home.clock.run_for(seconds * 1000 + 100)
    expect(card(home, NAME)).to_contain_text("as soon as you are back, try again")

    mend(home)
    home.evaluate("dispatchEvent(new Event('online'))")

    expect(title(home)).to_have_text("It’s a cat")


def test_it_waits_while_offline_and_goes_on_when_back(home):
    home.context.set_offline(True)
    choose(home, 2)
    expect(title(home)).to_have_text("You are offline")
    expect(title(home, "1.png")).to_have_text("You are offline")
    home.context.set_offline(False)

    expect(home.locator("[data-answer]")).to_have_count(2)


def test_a_network_lost_on_the_way_is_waited_for(home):
    held = hold(home)
    choose(home)
    expect(title(home)).to_have_text("On its way…")

    home.context.set_offline(True)
    held[0].abort("internetdisconnected")
    expect(title(home)).to_have_text("You are offline")
    mend(home)
    home.context.set_offline(False)

    expect(title(home)).to_have_text("It’s a cat")


def test_no_version_yet_is_waited_for(home, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(serving, "_live", serving.LiveEngine())
        ModelVersion.objects.update(is_live=False)
        choose(home)
        expect(title(home)).to_have_text("Not just now")
        expect(card(home, NAME)).to_contain_text("No version is live")
        expect(card(home, NAME)).to_contain_text("I try again by myself in 5 s")

    home.clock.run_for(6_000)

    expect(title(home)).to_have_text("It’s a cat")


def test_who_is_asked_for_patience_holds_all_photos_back(home):
    asked = []

    def too_many(route):
        asked.append(route)
        route.fulfill(status=429, headers={"Retry-After": "7"}, body="Slow down.")

    home.route("**/classify/", too_many)
    choose(home, 6)
    expect(home.locator("[data-state=busy-there]")).to_have_count(4)
    expect(card(home, NAME)).to_contain_text("I try again by myself in 7 s")
    expect(home.locator("[data-state=waiting]")).to_have_count(2)
    home.clock.run_for(4_000)
    expect(card(home, NAME)).to_contain_text("I try again by myself in 3 s")
    assert len(asked) == 4

    mend(home)
    press(home, "Cancel", "1.png")
    home.clock.run_for(4_000)

    expect(home.locator("[data-answer]")).to_have_count(5)
    expect(title(home, "1.png")).to_have_text("You stopped this one")


def test_an_expired_token_is_renewed_by_itself(home):
    choose(home)
    expect(title(home)).to_have_text("It’s a cat")
    home.context.clear_cookies()

    home.set_input_files("#photo", drawings(3, first=1))

    expect(home.locator("[data-answer]")).to_have_count(4)
    assert len(set(Prediction.objects.values_list("person", flat=True))) == 2


def test_a_browser_without_cookies_is_told_so(home):
    home.route("**/visitor/", lambda route: route.abort())
    home.context.clear_cookies()

    choose(home)

    expect(title(home)).to_have_text("This page waited too long")


def test_a_proxy_s_own_page_never_lands_in_ours(home):
    answer_with(home, status=413, body="<h1>nginx</h1><div class=box>nginx</div>")

    choose(home)

    expect(title(home)).to_have_text("That one is too large")
    expect(home.locator("body")).not_to_contain_text("nginx")


def test_an_error_of_ours_can_be_tried_again(home):
    answer_with(home, status=500, body="<h1>Oops</h1>")
    choose(home)
    expect(title(home)).to_have_text("Something broke on our side")
    expect(card(home, NAME)).to_contain_text("The server answered 500")

    mend(home)
    press(home, "Try again")

    expect(title(home)).to_have_text("It’s a cat")


def test_a_server_that_says_nothing_is_not_waited_for_for_ever(home):
    hold(home)
    choose(home)
    expect(title(home)).to_have_text("On its way…")
    home.clock.run_for(91_000)
    expect(title(home)).to_have_text("That took too long")

    mend(home)
    press(home, "Try again")

    expect(title(home)).to_have_text("It’s a cat")


def test_a_file_s_name_is_never_markup(home):
    name = "<img src=x onerror=document.title='hacked'>.txt"
    home.set_input_files("#photo", {"name": name, "mimeType": "text/plain", "buffer": b"no"})

    expect(home.locator("#answer .sure")).to_contain_text(f"“{name}” is not a photo")
    expect(home.locator("#answer .name")).to_have_text(name)
    expect(home).not_to_have_title("hacked")


def test_who_sends_too_many_is_told_so_and_served_later(home, settings):
    settings.PHOTOS_PER_MINUTE = 2
    choose(home, 3)
    throttled = home.locator("[data-state=busy]").first
    expect(throttled).to_contain_text("That is more than 2 photos a minute.")
    expect(throttled).to_contain_text("Nothing is lost: I try again by myself in")

    settings.PHOTOS_PER_MINUTE = 0
    home.clock.run_for(61_000)

    expect(home.locator("[data-answer]")).to_have_count(3)
