"""Right, wrong and which, a word, a change of mind: each click swaps in a thank-you."""

import pytest
from playwright.sync_api import expect

from feedback.models import Feedback


@pytest.fixture
def answered(page, quick_site, cat):
    page.clock.install()
    page.goto(quick_site)
    page.set_input_files("#photo", cat)
    expect(page.get_by_text("Was I right?")).to_be_visible()
    return page


def thanks(page):
    return page.locator(".thanks")


def test_right_is_thanked_and_kept(answered):
    answered.get_by_role("button", name="Right").click()

    expect(thanks(answered)).to_contain_text("You said: cat")
    expect(thanks(answered)).to_be_focused()
    feedback = Feedback.objects.get()
    assert (feedback.agrees, feedback.label, feedback.consent) == (True, "cat", False)


def test_wrong_asks_which_it_is(answered):
    answered.get_by_text("Wrong").click()
    answered.get_by_role("button", name="Dog").click()

    expect(thanks(answered)).to_contain_text("You said: dog")
    feedback = Feedback.objects.get()
    assert (feedback.agrees, feedback.label) == (False, "dog")


def test_our_own_answer_is_no_choice_when_it_was_wrong(answered):
    answered.get_by_text("Wrong").click()

    expect(answered.get_by_role("button", name="Neither")).to_be_visible()
    expect(answered.get_by_role("button", name="Cat", exact=True)).to_have_count(0)


def test_the_last_opinion_counts_and_keeps_what_was_said_before(answered):
    answered.get_by_role("button", name="Right").click()
    answered.get_by_role("button", name="Yes, learn from them").click()
    expect(answered.get_by_text("I may keep this photo")).to_be_visible()
    answered.get_by_text("Change it").click()
    answered.get_by_label("A word about it").fill("whiskers")
    answered.get_by_role("button", name="Send").click()
    expect(answered.get_by_label("A word about it")).to_have_value("whiskers")
    expect(answered.get_by_label("A word about it")).to_be_hidden()

    answered.get_by_text("Change it").click()
    answered.get_by_role("button", name="Neither").click()

    expect(thanks(answered)).to_contain_text("You said: neither")
    feedback = Feedback.objects.get()
    assert (feedback.label, feedback.comment, feedback.consent) == ("neither", "whiskers", True)
    assert feedback.prediction.keep_until is None


def test_consent_can_be_taken_back(answered):
    answered.get_by_role("button", name="Right").click()
    answered.get_by_role("button", name="Yes, learn from them").click()
    answered.get_by_role("button", name="Take that back").click()

    expect(answered.get_by_role("button", name="You may learn from this one")).to_be_visible()
    feedback = Feedback.objects.get()
    assert not feedback.consent
    assert feedback.prediction.keep_until is not None


def test_a_click_lost_on_the_way_can_be_made_again(answered):
    answered.route("**/feedback/**", lambda route: route.abort("internetdisconnected"))
    answered.get_by_role("button", name="Right").click()
    expect(answered.get_by_role("heading", name="The network went away")).to_be_visible()

    answered.unroute("**/feedback/**")
    answered.get_by_role("button", name="Right").click()

    expect(thanks(answered)).to_be_visible()


def test_a_lost_click_keeps_its_choice_and_is_made_again_when_the_network_is_back(answered):
    answered.route("**/feedback/**", lambda route: route.abort("internetdisconnected"))
    answered.get_by_text("Wrong").click()
    answered.get_by_role("button", name="Dog").click()
    expect(answered.get_by_role("heading", name="The network went away")).to_be_visible()

    answered.unroute("**/feedback/**")
    answered.evaluate("dispatchEvent(new Event('online'))")

    expect(thanks(answered)).to_contain_text("You said: dog")
    assert Feedback.objects.get().label == "dog"


def test_a_click_that_finds_the_server_busy_can_be_made_again(answered):
    busy = {"status": 503, "body": '<article class="card"><p>The database is away.</p></article>'}
    answered.route("**/feedback/**", lambda route: route.fulfill(**busy))
    answered.get_by_role("button", name="Right").click()
    expect(answered.locator(".trouble")).to_contain_text("The database is away.")
    expect(answered.get_by_text("Was I right?")).to_be_visible()

    answered.unroute("**/feedback/**")
    answered.get_by_role("button", name="Try again").click()

    expect(thanks(answered)).to_contain_text("You said: cat")


def test_a_click_that_finds_the_server_busy_is_made_again_by_itself(answered):
    busy = {"status": 503, "headers": {"Retry-After": "1"}, "body": "Not now."}
    answered.route("**/feedback/**", lambda route: route.fulfill(**busy), times=2)
    answered.get_by_text("Wrong").click()
    answered.get_by_role("button", name="Dog").click()
    expect(answered.locator(".trouble")).to_contain_text("I keep trying by myself")

    expect(thanks(answered)).to_contain_text("You said: dog", timeout=15_000)
    expect(answered.locator(".trouble")).to_have_count(0)
    assert Feedback.objects.get().label == "dog"


def test_who_changes_their_mind_while_it_is_tried_again_is_heard(answered):
    busy = {"status": 503, "headers": {"Retry-After": "1"}, "body": "Not now."}
    answered.route("**/feedback/**", lambda route: route.fulfill(**busy), times=1)
    answered.get_by_role("button", name="Right").click()
    expect(answered.locator(".trouble")).to_be_visible()
    answered.get_by_text("Wrong").click()
    answered.get_by_role("button", name="Dog").click()

    expect(thanks(answered)).to_contain_text("You said: dog")
    assert Feedback.objects.get().label == "dog"


def test_an_expired_token_is_renewed_and_the_click_made_again(answered):
    cookies = [each for each in answered.context.cookies() if each["name"] != "csrftoken"]
    answered.context.clear_cookies()
    answered.context.add_cookies(cookies)

    answered.get_by_role("button", name="Right").click()

    expect(thanks(answered)).to_contain_text("You said: cat")


def test_a_double_click_is_one_opinion(answered):
    answered.get_by_role("button", name="Right").dblclick()

    expect(thanks(answered)).to_contain_text("You said: cat")
    expect(answered.locator(".trouble")).to_have_count(0)
    assert Feedback.objects.count() == 1


def test_a_comment_is_never_markup(answered):
    comment = "<img src=x onerror=\"document.title='hacked'\">"
    answered.get_by_role("button", name="Right").click()
    answered.get_by_text("Change it").click()
    answered.get_by_label("A word about it").fill(comment)
    answered.get_by_role("button", name="Send").click()

    expect(thanks(answered)).to_be_focused()
    expect(answered.get_by_label("A word about it")).to_have_value(comment)
    expect(answered).not_to_have_title("hacked")


def test_an_opinion_can_be_undone(answered):
    answered.get_by_role("button", name="Right").click()

    answered.get_by_role("button", name="Undo").click()

    expect(answered.get_by_text("Was I right?")).to_be_focused()
    assert not Feedback.objects.exists()


def test_undoing_a_change_brings_back_what_was_said_before(answered):
    answered.get_by_role("button", name="Right").click()
    answered.get_by_text("Change it").click()
    answered.get_by_role("button", name="Neither").click()
    expect(thanks(answered)).to_contain_text("You said: neither")

    answered.get_by_role("button", name="Undo").click()

    expect(thanks(answered)).to_contain_text("You said: cat")
    expect(answered.get_by_role("button", name="Undo")).to_have_count(0)
    assert Feedback.objects.get().agrees


def test_after_ten_seconds_there_is_nothing_to_undo(answered):
    answered.get_by_role("button", name="Right").click()
    undo = answered.get_by_role("button", name="Undo")
    undo.focus()
    answered.clock.run_for(9_000)
    expect(undo).to_be_visible()

    answered.clock.run_for(2_000)

    expect(undo).to_have_count(0)
    expect(thanks(answered)).to_be_focused()
