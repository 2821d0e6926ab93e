"""What a page does when one comes by a link, and what goes on in it when one has left."""

from playwright.sync_api import expect

from feedback.models import Review
from tests.browser.links import SECONDS, arrived, follow, is_same_document
from tests.browser.many import card, drawings, hold
from tests.make import make_teaching


def test_photos_on_their_way_arrive_while_another_page_is_looked_at(home):
    held = hold(home)
    home.set_input_files("#photo", drawings(2))
    expect(home.locator("[data-state=sending]")).to_have_count(2)
    follow(home, "History")
    arrived(home, "Your photos")

    for each in held:
        each.continue_()
    expect(home.locator("#said")).to_contain_text("0.png: It’s a cat. 98 % sure")
    home.go_back()

    expect(home.locator("[data-answer=cat]")).to_have_count(2)
    expect(home.locator(".summary .done")).to_have_text("2 of 2 answered")
    expect(card(home, "0.png").locator("figure img")).to_be_visible()
    card(home, "1.png").locator(".right").click()
    expect(card(home, "1.png").locator(".thanks")).to_contain_text("You said: cat")
    assert is_same_document(home)


def test_photos_wait_for_who_comes_back_by_a_link_or_stays(home):
    home.set_input_files("#photo", drawings(1))
    expect(home.locator("[data-answer=cat]")).to_have_count(1)
    follow(home, "Classify")
    expect(home.locator("[data-answer=cat]")).to_have_count(1)
    follow(home, "Models")
    arrived(home, "Models")

    follow(home, "Classify")
    expect(home.locator("[data-answer=cat]")).to_have_count(1)
    expect(home).to_have_title("Cat or dog? · catsdogs")
    home.set_input_files("#photo", drawings(1, first=1))

    expect(home.locator("[data-answer=cat]")).to_have_count(2)


def test_two_pages_with_photos_keep_theirs_apart(home):
    home.set_input_files("#photo", drawings(1))
    expect(home.locator("[data-answer=cat]")).to_have_count(1)
    follow(home, "History")
    home.locator(".entry .look").click()
    expect(home.locator("#answer [data-answer]")).to_have_count(1)
    home.set_input_files("#photo", drawings(1, first=1))
    expect(home.locator("[data-answer=cat]")).to_have_count(2)
    expect(home.locator(".summary .done")).to_have_text("2 of 2 answered")

    follow(home, "Classify")

    expect(card(home, "0.png")).to_be_visible()
    expect(card(home, "1.png")).to_have_count(0)
    home.go_back()
    expect(card(home, "1.png")).to_be_visible()


def test_leaving_for_good_with_photos_on_their_way_asks_first(home, quick_site):
    hold(home)
    home.set_input_files("#photo", drawings(1))
    expect(home.locator("[data-state=sending]")).to_have_count(1)
    follow(home, "History")
    arrived(home, "Your photos")
    asked = []
    home.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))

    follow(home, "API")

    expect(home).to_have_url(f"{quick_site}/history")
    assert asked == ["beforeunload"]
    home.go_back()
    expect(home.locator("[data-state=sending]")).to_have_count(1)
    card(home, "0.png").get_by_role("button", name="Cancel").click()


def test_a_page_s_script_works_each_time_one_comes_and_once(staff):
    for number in range(3):
        make_teaching(number=number)
    for _ in range(2):
        follow(staff, "Review")
        arrived(staff, "What does it show?")
        follow(staff, "History")
        arrived(staff, "Your photos")
    follow(staff, "Review")
    arrived(staff, "What does it show?")
    expect(staff.locator("#keys")).to_be_enabled()

    staff.keyboard.press("d")
    expect(staff.locator(".left")).to_have_text("2 left")
    expect(staff.locator("#said")).to_contain_text("Noted: dog")
    assert Review.objects.decided().count() == 1

    follow(staff, "History")
    arrived(staff, "Your photos")
    staff.keyboard.press("d")
    follow(staff, "Review")
    expect(staff.locator(".left")).to_have_text("2 left")
    assert Review.objects.decided().count() == 1


def test_keys_that_were_turned_off_hide_nothing_on_other_pages(staff):
    make_teaching()
    follow(staff, "Review")
    staff.locator("#keys").uncheck()
    expect(staff.locator("html.keyless")).to_be_attached()

    follow(staff, "History")

    arrived(staff, "Your photos")
    expect(staff.locator("html.keyless")).to_have_count(0)


def test_history_tells_times_and_erases_when_one_comes_by_a_link(home):
    home.set_input_files("#photo", drawings(1))
    expect(home.locator("[data-answer=cat]")).to_have_count(1)
    follow(home, "History")
    expect(home.locator(".entry time[data-local]")).to_have_count(1)

    home.locator(".entry summary").click()
    home.get_by_role("button", name="Erase for good").click()

    expect(home.get_by_role("heading", name="Nothing here yet")).to_be_visible()
    assert is_same_document(home)


def test_what_is_erased_in_the_history_is_gone_from_the_page_it_was_sent_from(home):
    home.set_input_files("#photo", drawings(2))
    expect(home.locator("[data-answer=cat]")).to_have_count(2)
    follow(home, "History")
    home.locator(".entry summary").first.click()
    home.locator(".entry").first.get_by_role("button", name="Erase for good").click()
    expect(home.locator(".entry")).to_have_count(1)

    home.go_back()

    expect(home.locator("#answer > .card")).to_have_count(1)
    expect(home.locator("#summary")).to_be_hidden()


def test_why_works_when_one_comes_by_a_link(page, site, cat):
    page.goto(site)
    held = hold(page)
    page.set_input_files("#photo", cat)
    expect(page.locator("[data-state=sending]")).to_have_count(1)
    follow(page, "History")
    arrived(page, "Your photos")
    held[0].continue_()
    expect(page.locator("#said")).to_contain_text("It’s a cat")

    for way in (page.go_back, page.locator(".entry .look").click):
        way()
        page.get_by_text("Why?").click()
        expect(page.locator(".why-words")).to_be_focused()
        expect(page.locator("#answer figure > .heat")).to_be_visible()
        follow(page, "History")
        arrived(page, "Your photos")


def test_a_page_that_was_left_asks_for_nothing_any_more(staff):
    staff.clock.install()
    staff.reload()
    follow(staff, "Insights")
    expect(staff.locator("#live")).to_be_attached(timeout=SECONDS)
    asked = []
    staff.on("request", lambda request: asked.append(request.url))
    staff.clock.run_for(31_000)
    follow(staff, "About")
    arrived(staff, "How I tell them apart")
    before = len([url for url in asked if "/insights" in url])

    staff.clock.run_for(120_000)
    follow(staff, "Privacy")
    arrived(staff, "Your photos are yours")

    assert before >= 1
    assert len([url for url in asked if "/insights" in url]) == before
