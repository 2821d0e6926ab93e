"""A photo is chosen, dropped or pasted; the answer appears; what goes wrong is said."""

import base64
import re

from playwright.sync_api import expect

from classifier import serving
from classifier.models import ModelVersion, Prediction

CARRY = """({name, type, data}) => {
    const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
    const carried = new DataTransfer();
    carried.items.add(new File([bytes], name, {type}));
    return carried;
}"""


def carried(page, file):
    """A file as the mouse or the clipboard carries it."""
    data = base64.b64encode(file["buffer"]).decode()
    named = {"name": file["name"], "type": file["mimeType"], "data": data}
    return page.evaluate_handle(CARRY, named)


def text_file(name="notes.txt", type="text/plain"):
    return {"name": name, "mimeType": type, "buffer": b"neither cat nor dog"}


def answer(page):
    return page.locator("#answer h2")


def test_a_chosen_photo_is_answered_at_once(page, site, cat):
    page.goto(site)

    page.set_input_files("#photo", cat)

    expect(answer(page)).to_have_text("It’s a cat")
    expect(page.locator("#answer .sure")).to_contain_text("% sure")
    shown = page.locator("#answer figure img")
    expect(shown).to_have_js_property("complete", True)
    assert shown.evaluate("image => image.naturalWidth") > 0
    assert Prediction.objects.get().answer == "cat"


def test_the_kept_photo_can_be_seen_again(page, site, cat):
    page.goto(site)
    page.set_input_files("#photo", cat)
    expect(answer(page)).to_have_text("It’s a cat")

    page.goto(site + Prediction.objects.get().get_absolute_url())

    shown = page.locator("#answer figure img")
    expect(shown).to_have_js_property("complete", True)
    assert shown.evaluate("image => image.naturalWidth") == 451


def test_a_photo_can_be_dropped_anywhere(page, site, cat):
    page.goto(site)
    photo = carried(page, cat)

    page.dispatch_event("footer", "dragenter", {"dataTransfer": photo})
    expect(page.locator("html.dropping")).to_be_visible()
    page.dispatch_event("footer", "drop", {"dataTransfer": photo})

    expect(answer(page)).to_have_text("It’s a cat")
    expect(page.locator("html.dropping")).to_have_count(0)


def test_a_photo_can_be_pasted(page, site, cat):
    page.goto(site)

    page.evaluate(
        "photo => document.body.dispatchEvent("
        "new ClipboardEvent('paste', {clipboardData: photo, bubbles: true}))",
        carried(page, cat),
    )

    expect(answer(page)).to_have_text("It’s a cat")


def test_enter_opens_the_file_picker(page, site):
    # From the start, because the browser takes a moment to hand its pickers over.
    page.on("filechooser", lambda picker: None)
    page.goto(site)
    page.focus("#photo")

    with page.expect_file_chooser() as picker:
        page.keyboard.press("Enter")

    assert not picker.value.is_multiple()


def test_the_answer_is_said_to_those_who_listen(page, site, cat):
    page.goto(site)

    page.set_input_files("#photo", cat)

    expect(page.get_by_role("status")).to_have_text(re.compile("^It’s a cat. [0-9.]+\\s% sure$"))


def test_a_dropped_text_is_refused_without_being_sent(page, site):
    sent = []
    page.on("request", lambda request: sent.append(request.method))
    page.goto(site)

    page.dispatch_event("body", "drop", {"dataTransfer": carried(page, text_file())})

    expect(page.locator("#answer")).to_contain_text("“notes.txt” is not a photo")
    expect(page.get_by_role("status")).to_contain_text("is not a photo")
    assert "POST" not in sent


def test_a_photo_above_the_limit_is_refused_without_being_sent(page, site, settings, cat):
    settings.PHOTO_MAX_BYTES = 1_000_000
    sent = []
    page.on("request", lambda request: sent.append(request.method))
    page.goto(site)

    page.set_input_files("#photo", {**cat, "buffer": bytes(1_250_000)})

    expect(page.locator("#answer")).to_contain_text("at most 1 MB")
    assert "POST" not in sent


def test_the_server_s_refusal_is_shown_with_its_reason(page, site):
    page.goto(site)

    with page.expect_response("**/classify/") as refusal:
        page.set_input_files("#photo", text_file("cat.jpg", "image/jpeg"))

    assert 400 <= refusal.value.status < 500
    expect(answer(page)).to_have_text("I can’t look at that one")
    expect(page.locator("#answer p")).to_contain_text("JPEG")
    assert not Prediction.objects.exists()


def test_a_photo_after_a_refusal_is_answered(page, site, cat):
    page.goto(site)
    page.set_input_files("#photo", text_file())
    expect(answer(page)).to_have_text("I can’t look at that one")

    page.set_input_files("#photo", cat)

    expect(answer(page)).to_have_text("It’s a cat")


def test_a_lost_network_loses_no_photo(page, site, cat):
    page.goto(site)
    page.route("**/classify/", lambda route: route.abort("internetdisconnected"))
    page.set_input_files("#photo", cat)
    expect(answer(page)).to_have_text("The network went away")
    expect(page.locator("#answer figure img")).to_be_visible()

    page.unroute("**/classify/")
    page.get_by_role("button", name="Try again").click()

    expect(answer(page)).to_have_text("It’s a cat")


def test_a_photo_sent_too_early_can_be_sent_again(page, site, cat, monkeypatch):
    page.goto(site)
    with monkeypatch.context() as patch:
        patch.setattr(serving, "_live", serving.LiveEngine())
        ModelVersion.objects.update(is_live=False)
        page.set_input_files("#photo", cat)
        expect(answer(page)).to_have_text("Not just now")

    page.get_by_role("button", name="try again").click()

    expect(answer(page)).to_have_text("It’s a cat")


def test_a_new_photo_takes_the_place_of_one_on_its_way(page, site, cat):
    page.goto(site)
    held = []
    page.route("**/classify/", lambda route: held.append(route) if not held else route.continue_())
    with page.expect_request("**/classify/"):
        page.set_input_files("#photo", cat)
    expect(answer(page)).to_have_text("Looking…")

    page.set_input_files("#photo", cat)

    expect(answer(page)).to_have_text("It’s a cat")
    assert held[0].request.failure == "net::ERR_ABORTED"
    assert Prediction.objects.count() == 1


def test_a_page_without_its_cookie_says_so(page, site, cat):
    page.goto(site)
    page.context.clear_cookies()

    page.set_input_files("#photo", cat)

    expect(answer(page)).to_have_text("This page waited too long")


def test_a_proxy_s_own_page_never_lands_in_ours(page, site, cat):
    page.goto(site)
    page.route("**/classify/", lambda route: route.fulfill(status=413, body="<h1>nginx</h1>"))

    page.set_input_files("#photo", cat)

    expect(answer(page)).to_have_text("Something broke on our side")
    expect(page.locator("#answer")).to_contain_text("413")
    expect(page.locator("#answer")).not_to_contain_text("nginx")
