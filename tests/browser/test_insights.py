"""The insights page in a browser: for everyone, refreshed without a jump, picked, taken along."""

from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import expect

from tests.make import make_feedback, make_prediction
from tests.monitoring.rows import NOW, some_rows, store

SIZES = {"phone": {"width": 360, "height": 740}, "laptop": {"width": 1280, "height": 800}}


@pytest.fixture
def insights(site, settings):
    settings.INSIGHTS_OPEN = True
    return f"{site}/insights"


@pytest.fixture
def rows(insights):
    """Some photos of the last two days."""
    now = timezone.now()
    rows = some_rows()
    for row in rows:
        row.at = now - (NOW - row.at)
    store(rows)


def violations(page):
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [(each["id"], [node["html"][:120] for node in each["nodes"]]) for each in found]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_it_is_for_everyone(page, insights, rows, theme, size):
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    page.set_viewport_size(SIZES[size])
    page.goto(f"{insights}?range=week")
    assert violations(page) == []

    for summary in page.locator("summary").all():
        summary.click()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_is_for_everyone_without_any_photo_too(page, insights, theme):
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    page.goto(f"{insights}?since=yesterday")

    expect(page.get_by_role("alert")).to_contain_text("Enter a valid date/time")
    assert violations(page) == []


def test_all_that_is_clicked_is_large_enough_for_a_thumb(page, insights, rows):
    page.set_viewport_size({"width": 320, "height": 640})
    page.goto(insights)
    page.get_by_text("Another time, one version").click()

    targets = page.locator("main :is(button, summary, a, select, input:not([type=hidden]))").all()
    small = [
        (target.text_content(), box)
        for target in targets
        if target.is_visible() and (box := target.bounding_box()) and box["height"] < 44
    ]

    assert len(targets) > 30
    assert small == []


def test_a_time_and_a_version_are_picked(page, insights, rows):
    page.goto(insights)
    page.get_by_role("link", name="7 days").click()
    expect(page.get_by_role("link", name="7 days")).to_have_attribute("aria-current", "true")
    expect(page.locator("#tiles .value").first).to_have_text("60")

    page.get_by_text("Another time, one version").click()
    page.get_by_label("Version", exact=True).select_option("2025-01-01.1")
    page.get_by_role("button", name="Show").click()

    expect(page.locator("#tiles .value").first).to_have_text("20")
    expect(page.get_by_role("link", name="7 days")).to_have_attribute("aria-current", "true")
    expect(page.get_by_label("Version", exact=True)).to_have_value("2025-01-01.1")


def test_the_numbers_of_a_plot_are_taken_along(page, insights, rows):
    page.goto(f"{insights}?range=week")

    with page.expect_download() as download:
        page.get_by_role("link", name="CSV of What was answered").click()

    assert download.value.suggested_filename == "catsdogs-answers.csv"
    assert download.value.path().read_text().startswith("Answer,Photos,Share\n")


def test_a_refresh_changes_what_changed_and_nothing_else(page, insights, rows):
    page.clock.install()
    page.goto(f"{insights}?range=week")
    plot = page.locator("#answers")
    plot.get_by_text("Numbers").click()
    plot.locator("summary").focus()
    plot.scroll_into_view_if_needed()
    before = page.evaluate("window.scrollY")
    page.evaluate("document.querySelector('#refusals .drawn').dataset.same = 'yes'")
    make_feedback(make_prediction(answer="neither"))

    with page.expect_response(lambda response: "had=" in response.url):
        page.clock.fast_forward(timedelta(seconds=31).seconds * 1000)

    expect(page.locator("#tiles .value").first).to_have_text("61")
    expect(plot.get_by_role("table")).to_be_visible()
    expect(plot.locator("summary")).to_be_focused()
    assert page.evaluate("window.scrollY") == before
    expect(page.locator("#refusals .drawn")).to_have_attribute("data-same", "yes")


def test_refreshing_can_be_paused(page, insights, rows):
    page.clock.install()
    page.goto(insights)
    page.get_by_role("link", name="Pause").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Go on")).to_be_focused()
    asked = []
    page.on("request", lambda request: asked.append(request.url))

    page.clock.fast_forward(120_000)
    page.get_by_role("link", name="Go on").click()
    expect(page.get_by_role("link", name="Pause")).to_be_visible()

    assert [url for url in asked if "had=" in url] == []


def test_a_refresh_that_fails_is_said(page, insights, rows):
    page.clock.install()
    page.goto(insights)
    page.route("**/insights?*had=*", lambda route: route.abort())

    page.clock.fast_forward(31_000)

    expect(page.locator("#when")).to_contain_text("could not be refreshed")


def test_it_works_without_javascript(browser, insights, rows):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(insights)

    page.get_by_role("link", name="7 days").click()
    page.locator("#latency").get_by_text("Numbers").click()

    expect(page.locator("#tiles .value").first).to_have_text("60")
    expect(page.locator("#table-latency")).to_be_visible()
    expect(page.get_by_text("Pause")).to_be_hidden()
    context.close()


def test_strangers_log_in_and_come_back(page, site, admin_user):
    page.goto(f"{site}/insights?range=week")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill("password")
    page.get_by_role("button", name="Log in").click()

    expect(page).to_have_url(f"{site}/insights?range=week")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("address", ["insights?range=week", "insights?since=x", "ml-test-score"])
def test_it_is_for_everyone_who_reads_french(browser, site, insights, rows, size, address):
    context = browser.new_context(locale="fr-FR", viewport=SIZES[size], reduced_motion="reduce")
    page = context.new_page()
    page.goto(f"{site}/{address}")

    for summary in page.locator("summary").all():
        summary.click()

    assert page.locator("html").get_attribute("lang") == "fr"
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    ranges = page.locator(".pick-time nav a")
    assert ranges.count() == (0 if address == "ml-test-score" else 4)
    assert [each.text_content() for each in ranges.all() if is_cut(each)] == []
    names = page.locator("svg .key text, svg .aside, svg .name")
    assert [each.text_content() for each in names.all() if is_cut(each, "svg")] == []
    context.close()


def is_cut(locator, around="nav"):
    """Whether some of it is beyond what it lies in."""
    return locator.evaluate(
        """(element, around) => {
            const inner = element.getBoundingClientRect();
            const outer = element.closest(around).getBoundingClientRect();
            return inner.right > outer.right + 1 || inner.left < outer.left - 1;
        }""",
        around,
    )


def test_a_refresh_that_fails_is_said_in_french(browser, insights, rows):
    context = browser.new_context(locale="fr-FR")
    page = context.new_page()
    page.clock.install()
    page.goto(insights)
    page.route("**/insights?*had=*", lambda route: route.abort())

    page.clock.fast_forward(31_000)

    expect(page.locator("#when")).to_contain_text("n’a pas pu être actualisé\u202f; nouvel essai.")
    context.close()
