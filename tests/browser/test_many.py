"""Many photos at once: each has its card, four go at a time; they can be stopped and heard."""

import threading

from playwright.sync_api import expect

from classifier.models import Prediction
from feedback.models import Feedback
from tests.browser.many import card, drawings, hold

CARRY = """files => {
    const carried = new DataTransfer();
    for (const {name, data} of files) {
        const bytes = Uint8Array.from(data);
        carried.items.add(new File([bytes], name, {type: "image/png"}));
    }
    return carried;
}"""


def names(page):
    return [each.get_attribute("aria-label") for each in page.locator("#answer > .card").all()]


def test_each_dropped_photo_has_its_card_the_newest_on_top(home):
    files = [{"name": each["name"], "data": [*each["buffer"]]} for each in drawings(3)]
    home.set_input_files("#photo", drawings(1, first=7))

    home.dispatch_event("footer", "drop", {"dataTransfer": home.evaluate_handle(CARRY, files)})

    expect(home.locator("#answer [data-answer=cat]")).to_have_count(4)
    assert names(home) == ["0.png", "1.png", "2.png", "7.png"]
    assert Prediction.objects.count() == 4


def test_four_at_most_are_on_their_way(home):
    held = hold(home)

    home.set_input_files("#photo", drawings(7))

    waiting = home.locator("[data-state=waiting]")
    expect(home.locator("[data-state=sending]")).to_have_count(4)
    expect(waiting).to_have_count(3)
    assert len(held) == 4
    for number in range(4, 8):
        with home.expect_response("**/classify/"):
            held[number - 4].continue_()
        expect(waiting).to_have_count(max(0, 7 - number - 1))
        expect(home.locator("[data-answer]")).to_have_count(number - 3)
        assert len(held) == min(7, number + 1)


def test_all_photos_of_a_first_visit_belong_to_one_visitor(home):
    home.set_input_files("#photo", drawings(5))

    expect(home.locator("[data-answer]")).to_have_count(5)
    assert len(set(Prediction.objects.values_list("person", flat=True))) == 1


def test_a_photo_on_its_way_can_be_stopped_and_sent_after_all(home):
    held = hold(home)
    home.set_input_files("#photo", drawings(2))
    expect(home.locator("[data-state=sending]")).to_have_count(2)

    with home.expect_event("requestfailed") as stopped:
        card(home, "1.png").get_by_role("button", name="Cancel").click()

    expect(card(home, "1.png").get_by_role("heading")).to_have_text("You stopped this one")
    expect(card(home, "1.png").get_by_role("button", name="Try again")).to_be_focused()
    expect(card(home, "0.png")).to_have_attribute("data-state", "sending")
    assert stopped.value.failure == "net::ERR_ABORTED"
    assert [route.request.failure for route in held].count(None) == 1  # whichever was first

    home.unroute("**/classify/")
    home.keyboard.press("Enter")

    expect(card(home, "1.png").get_by_role("heading")).to_have_text("It’s a cat")


def test_what_waits_and_is_stopped_is_never_sent(home):
    held = hold(home)
    home.set_input_files("#photo", drawings(6))
    expect(home.locator("[data-state=sending]")).to_have_count(4)

    card(home, "4.png").get_by_role("button", name="Cancel").click()
    card(home, "4.png").get_by_role("button", name="Take it away").click()
    home.get_by_role("button", name="Stop the rest").click()

    expect(card(home, "4.png")).to_have_count(0)
    expect(home.locator("[data-state=stopped]")).to_have_count(5)
    expect(home.get_by_role("button", name="Stop the rest")).to_be_hidden()
    assert len(held) == 4
    assert not Prediction.objects.exists()


def test_the_bar_says_how_much_is_sent(home, page):
    # A connection so slow that a photo takes a while: each share that the bar shows is noted.
    devtools = page.context.new_cdp_session(page)
    slow = {"offline": False, "latency": 20, "downloadThroughput": -1, "uploadThroughput": 500_000}
    devtools.send("Network.emulateNetworkConditions", slow)
    home.evaluate(
        """() => { window.shown = []; new MutationObserver(() => {
            const bar = document.querySelector("#answer [data-state=sending] progress");
            if (bar) window.shown.push(bar.value);
        }).observe(document.getElementById("answer"), {subtree: true, childList: true,
            attributes: true, characterData: true}); }"""
    )
    large = {**drawings(1)[0], "buffer": drawings(1)[0]["buffer"] + bytes(400_000)}

    home.set_input_files("#photo", large)

    expect(home.locator("[data-answer]")).to_have_count(1)
    shown = home.evaluate("window.shown")
    assert any(0 < share < 1 for share in shown)
    assert shown == sorted(shown)


def test_many_answers_are_told_in_numbers_and_few_by_name(home):
    status = home.get_by_role("status")
    home.set_input_files("#photo", drawings(5))

    expect(home.locator("#summary")).to_contain_text("5 of 5 answered")
    expect(home.locator("#summary")).to_contain_text("5 cats")
    expect(status).to_contain_text("5 of 5 answered, 5 cats")

    home.set_input_files("#photo", drawings(1, first=5))

    expect(status).to_contain_text("5.png: It’s a cat. 98")


def test_each_card_has_a_form_of_its_own_and_consent_is_asked_once(home):
    home.set_input_files("#photo", drawings(3))
    expect(home.locator("[data-answer]")).to_have_count(3)

    card(home, "0.png").get_by_role("button", name="Right").click()
    expect(card(home, "0.png").locator(".thanks")).to_contain_text("You said: cat")
    card(home, "2.png").get_by_text("Wrong").click()
    card(home, "2.png").get_by_role("button", name="Dog").click()
    expect(card(home, "2.png").locator(".thanks")).to_contain_text("You said: dog")

    expect(home.get_by_text("May I learn from")).to_have_count(1)
    expect(card(home, "1.png").get_by_text("Was I right?")).to_be_visible()
    assert [*Feedback.objects.order_by("id").values_list("label", flat=True)] == ["cat", "dog"]
    ids = home.eval_on_selector_all("[id]", "all => all.map((each) => each.id)")
    assert len(ids) == len(set(ids))


def test_an_erased_card_can_be_taken_away_and_counts_no_more(home):
    home.set_input_files("#photo", drawings(3))
    expect(home.locator("#summary")).to_contain_text("3 of 3 answered")

    card(home, "1.png").get_by_text("Erase this photo").click()
    card(home, "1.png").get_by_role("button", name="Erase for good").click()
    expect(home.locator("#summary")).to_contain_text("2 of 2 answered")
    home.get_by_role("button", name="Take the card away").click()

    assert names(home) == ["0.png", "2.png"]
    assert Prediction.objects.count() == 2


def test_nothing_jumps_when_the_answers_come(home):
    held = hold(home)
    home.set_input_files("#photo", drawings(4))
    expect(home.locator("[data-state=sending]")).to_have_count(4)
    places = [each.bounding_box() for each in home.locator("#answer > .card").all()]

    for each in held:
        each.continue_()

    expect(home.locator("[data-answer]")).to_have_count(4)
    assert [each.bounding_box() for each in home.locator("#answer > .card").all()] == places


def test_once_all_is_sent_the_card_says_that_the_photo_is_looked_at(home, engine, monkeypatch):
    may_answer = threading.Event()
    answer = engine.predict
    monkeypatch.setattr(engine, "predict", lambda pixels: may_answer.wait(60) and answer(pixels))

    home.set_input_files("#photo", drawings(1))

    expect(home.get_by_role("heading", name="Looking…")).to_be_visible()
    may_answer.set()
    expect(home.get_by_role("heading", name="It’s a cat")).to_be_visible()
