"""A photo is chosen, dropped or pasted; the answer appears; what is none is refused."""

import base64
import re

from playwright.sync_api import expect

from classifier.models import Prediction

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

    assert picker.value.is_multiple()


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
    expect(page.locator("#answer .sure")).to_contain_text("not a JPEG")
    assert not Prediction.objects.exists()


def test_a_photo_after_a_refusal_is_answered(page, site, cat):
    page.goto(site)
    page.set_input_files("#photo", text_file())
    expect(answer(page)).to_have_text("I can’t look at that one")

    page.set_input_files("#photo", cat)

    expect(answer(page)).to_have_text(["It’s a cat", "I can’t look at that one"])
