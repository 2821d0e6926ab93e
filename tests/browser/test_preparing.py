"""Large photos are made smaller before they leave, upright, unless the originals are wanted."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings
from PIL import Image
from playwright.sync_api import expect

from classifier import storage
from classifier.models import Prediction
from ml.photos import decode_photo
from tests.browser.many import card, drawings
from tests.heic import HEIC
from tests.photos import photo_bytes

LARGE = (2400, 1600)  # pixels, above the side from which photos are made smaller


def jpeg(data, name="large.jpg"):
    return {"name": name, "mimeType": "image/jpeg", "buffer": data}


def ask(page, file):
    """Send a photo; what the server kept of it."""
    page.set_input_files("#photo", file)
    expect(page.locator("#answer [data-answer]")).to_have_count(1)
    prediction = Prediction.objects.get()
    return prediction, storage.read(prediction.photo_sha256)


def small(data):
    """A photo's pixels, upright, at a size at which two copies can be compared."""
    pixels = decode_photo(data, max_pixels=settings.PHOTO_MAX_PIXELS).pixels
    return np.asarray(Image.fromarray(pixels).resize((48, 48)), np.float32)


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_large_photo_is_made_smaller_and_stays_upright(home, orientation):
    original = photo_bytes(LARGE, orientation=orientation)

    prediction, sent = ask(home, jpeg(original))

    upright = (1600, 1067) if orientation in (1, 3) else (1067, 1600)
    assert (prediction.photo_width, prediction.photo_height) == upright
    assert prediction.photo_format == "JPEG"
    assert np.abs(small(sent) - small(original)).mean() < 3


def test_the_original_is_sent_where_that_is_wanted(home):
    original = photo_bytes(LARGE, orientation=6)

    home.get_by_role("switch", name="Send originals").check()
    prediction, _ = ask(home, jpeg(original))

    assert prediction.photo_sha256 == hashlib.sha256(original).hexdigest()
    expect(home.get_by_role("switch", name="Send originals")).to_be_checked()


def test_a_small_photo_is_sent_as_it_is(home):
    original = photo_bytes((640, 480))

    prediction, _ = ask(home, jpeg(original))

    assert prediction.photo_sha256 == hashlib.sha256(original).hexdigest()


def test_a_photo_above_the_limit_is_sent_once_it_is_small_enough(home, settings):
    original = photo_bytes(LARGE, format="PNG") + bytes(1_100_000)
    settings.PHOTO_MAX_BYTES = 1_000_000
    home.reload()

    prediction, sent = ask(home, {**jpeg(original), "mimeType": "image/png"})

    assert len(sent) < 1_000_000
    assert prediction.photo_format == "JPEG"


def test_what_this_browser_cannot_decode_is_sent_as_it_is_and_shown_by_the_server(home):
    heic = {"name": "phone.heic", "mimeType": "image/heic", "buffer": HEIC}

    prediction, _ = ask(home, heic)

    assert prediction.photo_format == "HEIC"
    shown = home.locator("#answer figure img")
    expect(shown).to_have_attribute("src", f"/photos/{prediction.pk}/")
    expect(shown).to_have_js_property("naturalWidth", 64)


def test_the_preview_is_small_and_stays_under_the_answer(home):
    ask(home, jpeg(photo_bytes(LARGE)))

    shown = card(home, "large.jpg").locator("figure img")
    assert shown.get_attribute("src").startswith("blob:")
    assert shown.evaluate("image => image.naturalWidth") == 640


def test_a_phone_can_take_a_photo(browser, quick_site):
    context = browser.new_context(has_touch=True, viewport={"width": 360, "height": 740})
    phone = context.new_page()
    phone.goto(quick_site)

    expect(phone.locator("label", has_text="Take a photo")).to_be_visible()
    assert phone.locator("#camera").get_attribute("capture") == "environment"
    phone.set_input_files("#camera", jpeg(photo_bytes()))

    expect(phone.locator("#answer [data-answer=cat]")).to_have_count(1)
    context.close()


def test_one_click_on_a_drawing_shows_how_it_works(page, site):
    page.goto(site)

    for name, answer in [("tabby", "cat"), ("puppy", "dog"), ("Breakfast", "neither")]:
        page.get_by_role("button", name=name).click()
        expect(page.locator("#answer .card").first).to_have_attribute("data-answer", answer)

    for counted in ("3 of 3 answered", "1 cat", "1 dog", "1 neither"):
        expect(page.locator("#summary")).to_contain_text(counted)


def test_the_drawings_are_small():
    assert all(path.stat().st_size < 5_000 for path in Path("static/samples").iterdir())


def test_no_photo_stays_in_memory_once_its_card_is_gone(page, quick_site):
    page.add_init_script(
        """window.shown = new Set();
        const {createObjectURL, revokeObjectURL} = URL;
        URL.createObjectURL = (blob) => {
            const address = createObjectURL(blob);
            window.shown.add(address);
            return address;
        };
        URL.revokeObjectURL = (address) => {
            window.shown.delete(address);
            revokeObjectURL(address);
        };"""
    )
    page.goto(quick_site)
    page.set_input_files("#photo", [*drawings(2), jpeg(b"no photo", "broken.jpg")])
    expect(page.locator("#answer [data-answer]")).to_have_count(2)
    expect(page.locator("#answer [data-state=refused]")).to_have_count(1)
    assert page.evaluate("window.shown.size") == 2  # the previews of what is shown

    card(page, "broken.jpg").get_by_role("button", name="Take it away").click()
    for name in ("0.png", "1.png"):
        card(page, name).get_by_text("Erase this photo").click()
        card(page, name).get_by_role("button", name="Erase for good").click()
        expect(card(page, name)).to_have_count(0)

    assert page.evaluate("window.shown.size") == 0
