"""A link brings the next page into the frame: title, focus, history as if it had been loaded."""

import re

import pytest
from playwright.sync_api import expect

from classifier.models import Prediction
from tests.browser.links import SECONDS, arrived, follow, heading, is_same_document
from tests.browser.test_accessible import SIZES, violations


def test_a_link_swaps_the_page_and_not_the_document(home, quick_site):
    follow(home, "History")

    arrived(home, "Your photos")
    expect(home).to_have_url(f"{quick_site}/history")
    expect(home).to_have_title("History · catsdogs")
    expect(home.locator("nav [aria-current=page]")).to_have_text("History")
    styles = home.locator("head > link[rel=stylesheet]").all()
    assert [each.get_attribute("href").split("/")[-1] for each in styles] == [
        "catsdogs.css",
        "history.css",
    ]
    assert is_same_document(home)


def test_back_and_forward_go_where_they_say(home, quick_site):
    follow(home, "History")
    arrived(home, "Your photos")
    follow(home, "Models")
    arrived(home, "Models")

    home.go_back()
    arrived(home, "Your photos")
    expect(home).to_have_title("History · catsdogs")
    home.go_back()
    arrived(home, "Cat or dog?")
    home.go_forward()
    arrived(home, "Your photos")
    expect(home).to_have_url(f"{quick_site}/history")
    assert is_same_document(home)


def test_a_page_is_found_again_where_it_was_left(home):
    home.set_viewport_size({"width": 390, "height": 600})
    follow(home, "About")
    arrived(home, "How I tell them apart")
    assert home.evaluate("scrollY") == 0
    home.evaluate("scrollTo({top: 700, behavior: 'instant'})")
    follow(home, "Privacy")
    arrived(home, "Your photos are yours")
    assert home.evaluate("scrollY") == 0

    home.go_back()
    arrived(home, "How I tell them apart")
    left = home.evaluate("scrollY")
    assert left > 600  # the link at the page's end may have been scrolled to
    home.reload()
    expect(heading(home)).to_be_attached()

    assert home.evaluate("scrollY") == pytest.approx(left, abs=2)


def test_a_link_may_lead_into_the_midst_of_a_page(home, quick_site):
    home.set_viewport_size({"width": 390, "height": 600})
    home.evaluate("document.querySelector('#foot a').href = '/about#limits'")

    follow(home, "About")

    expect(home).to_have_url(f"{quick_site}/about#limits")
    expect(home.locator("#limits:target")).to_be_in_viewport()
    expect(home).to_have_title(re.compile("About|How I tell"))
    home.evaluate("location.hash = 'more'")
    home.go_back()
    expect(home).to_have_url(f"{quick_site}/about#limits")
    home.go_back()
    arrived(home, "Cat or dog?")
    assert is_same_document(home)


def test_a_deep_link_and_what_was_reached_by_links_are_the_same_page(home, quick_site):
    follow(home, "Models")
    arrived(home, "Models")
    home.locator("main h2 a").first.click()
    arrived(home, re.compile("2026"))
    by_links, address = home.locator("main").inner_text(), home.url

    home.goto(address)

    assert home.locator("main").inner_text() == by_links


def test_a_form_that_asks_stays_in_the_frame(staff, quick_site):
    follow(staff, "Insights")
    expect(heading(staff)).to_be_focused(timeout=SECONDS)
    staff.locator(".exactly summary").click()
    staff.locator("[name=since]").fill("2026-01-01T00:00")

    staff.locator(".pick-time form button").click()

    expect(staff).to_have_url(re.compile(r"/insights\?.*since=2026-01-01"), timeout=SECONDS)
    expect(heading(staff)).to_be_focused()
    assert is_same_document(staff)


def test_staff_see_their_pages_and_nobody_else_does(staff, home):
    for name in ("Review", "Retrain", "Insights"):
        follow(staff, name)
        current = staff.locator("nav [aria-current=page]").first
        expect(current).to_have_text(name, timeout=SECONDS)
    assert is_same_document(staff)

    home.context.clear_cookies()
    follow(home, "About")
    arrived(home, "How I tell them apart")
    expect(home.get_by_role("link", name="Insights")).to_have_count(0)


def test_who_is_no_longer_logged_in_is_asked_to_log_in_and_led_on(staff, quick_site):
    staff.context.clear_cookies()

    follow(staff, "Review")

    expect(staff.locator("#id_username")).to_be_visible()
    expect(staff).to_have_url(f"{quick_site}/admin/login/?next=/review")


@pytest.mark.parametrize("name", ["API", "Admin"])
def test_what_is_no_page_of_ours_is_loaded_as_ever(staff, name):
    follow(staff, name)

    expect(staff).to_have_url(re.compile("/api/docs|/admin/"))
    assert not is_same_document(staff)
    staff.go_back()
    expect(heading(staff)).to_have_text("Cat or dog?")


def test_a_new_tab_is_a_new_tab(home, quick_site):
    with home.context.expect_page() as opened:
        home.get_by_role("link", name="History").click(modifiers=["ControlOrMeta"])

    expect(heading(opened.value)).to_have_text("Your photos")
    expect(home).to_have_url(f"{quick_site}/")
    opened.value.close()


def test_what_is_not_there_is_said_inside_the_frame(home, quick_site):
    home.set_input_files("#photo", {"name": "a.txt", "mimeType": "text/plain", "buffer": b"no"})
    home.evaluate("document.querySelector('#foot a').href = '/nowhere/'")

    follow(home, "About")

    arrived(home, "Nobody here")
    expect(home).to_have_title("Not found · catsdogs")
    expect(home).to_have_url(f"{quick_site}/nowhere/")
    expect(home.locator("nav [aria-current]")).to_have_count(0)
    assert violations(home) == []
    follow(home, "Back to the photos")
    expect(home.locator("#answer .card")).to_have_count(1)
    assert is_same_document(home)


def test_what_somebody_else_says_on_the_way_is_shown_by_the_browser(home, quick_site):
    gateway = {"status": 502, "content_type": "text/html", "body": "<h1>502 Bad Gateway</h1>"}
    home.route("**/models", lambda route: route.fulfill(**gateway))

    follow(home, "Models")

    expect(heading(home)).to_have_text("502 Bad Gateway")
    home.go_back()
    expect(heading(home)).to_have_text("Cat or dog?")


def test_a_lost_network_leaves_the_page_where_it_is_and_is_tried_again(home, quick_site):
    home.route("**/history", lambda route: route.abort("internetdisconnected"))
    follow(home, "History")
    expect(home.get_by_role("alert")).to_contain_text("The network went away")
    expect(home).to_have_url(f"{quick_site}/")
    assert violations(home) == []

    home.unroute("**/history")
    home.get_by_role("alert").get_by_role("link", name="Try again").click()

    arrived(home, "Your photos")
    expect(home.locator("#astray")).to_be_hidden()
    assert is_same_document(home)


def test_going_back_without_a_network_leaves_the_page_where_it_is_too(home, quick_site):
    follow(home, "History")
    arrived(home, "Your photos")
    follow(home, "Models")
    arrived(home, "Models")
    home.route("**/history", lambda route: route.abort("internetdisconnected"))
    home.go_back()
    expect(home.get_by_role("alert")).to_contain_text("The network went away")
    expect(heading(home)).to_have_text("Models")

    home.unroute("**/history")
    home.get_by_role("alert").get_by_role("link", name="Try again").click()
    arrived(home, "Your photos")
    home.go_forward()

    arrived(home, "Models")
    expect(home).to_have_url(f"{quick_site}/models")
    assert is_same_document(home)


def test_the_last_of_two_clicks_counts(home):
    held = []
    home.route("**/history", lambda route: held.append(route))
    follow(home, "History")
    expect(home.locator("html.going")).to_be_attached()
    follow(home, "Models")

    arrived(home, "Models")
    home.go_back()
    arrived(home, "Cat or dog?")
    expect(home.locator("html.going")).to_have_count(0)
    held[0].abort()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pages_that_were_swapped_in_are_for_everyone(staff, theme, size, quick_site):
    staff.emulate_media(color_scheme=theme, reduced_motion="reduce")
    staff.set_viewport_size(SIZES[size])
    for name in ("History", "Models", "Review", "Insights", "About", "Privacy", "Classify"):
        follow(staff, name)
        expect(heading(staff)).to_be_focused(timeout=SECONDS)
        assert (name, violations(staff)) == (name, [])
    assert is_same_document(staff)


def test_fifty_pages_leave_nothing_behind(home):
    session = home.context.new_cdp_session(home)
    session.send("Performance.enable")

    def walk(rounds):
        for _ in range(rounds):
            for name, title in (("History", "Your photos"), ("Classify", "Cat or dog?")):
                follow(home, name)
                expect(heading(home)).to_have_text(title)

    def weigh():
        session.send("HeapProfiler.collectGarbage")
        figures = session.send("Performance.getMetrics")["metrics"]
        return {each["name"]: each["value"] for each in figures}

    walk(5)
    before = weigh()
    walk(25)
    after = weigh()
    for _ in range(20):
        if after["Nodes"] <= before["Nodes"] + 200:
            break
        # The page that was left last may still be going out: a frame later it can be collected.
        home.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done)))")
        after = weigh()

    assert after["Documents"] <= before["Documents"] + 10
    assert after["Nodes"] <= before["Nodes"] + 200  # a page has some 500
    assert after["JSEventListeners"] <= before["JSEventListeners"] + 20
    assert after["JSHeapUsedSize"] <= before["JSHeapUsedSize"] + 500_000
    assert is_same_document(home)
    assert not Prediction.objects.exists()
