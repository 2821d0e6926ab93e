"""The loop as people walk it: an upload, a click, a review, a retraining, another answer."""

import io
import shutil

import pytest
from PIL import Image
from playwright.sync_api import expect

from benchmarks.loop import approve, ask, teach
from benchmarks.site import LOGIN, running_site
from tests.cartoons import cartoon

pytestmark = pytest.mark.once

# Beside the one that the browser teaches.
TAUGHT_BEFORE = 24
# A retraining on two busy cores; nothing is proven by its speed.
PATIENCE = 180_000


@pytest.fixture
def loop_site(tmp_path):
    """A fresh install with processes of its own; what it learns stays in its own folder."""
    shutil.copytree("models", tmp_path / "models")
    with running_site(tmp_path / "var", tmp_path / "models") as site:
        yield site


def upload(page, label, seed):
    data = io.BytesIO()
    Image.fromarray(cartoon(label, seed)).save(data, "PNG")
    photo = {"name": f"{label}.png", "mimeType": "image/png", "buffer": data.getvalue()}
    page.set_input_files("#photo", photo)


def test_what_people_say_becomes_the_answer(page, new_context, loop_site):
    page.goto(loop_site.url)
    upload(page, "cat", 900)
    expect(page.get_by_role("heading", name="Neither, I think")).to_be_visible()
    page.get_by_text("Wrong", exact=True).click()
    page.get_by_role("button", name="Cat", exact=True).click()
    page.get_by_role("button", name="Yes, learn from them").click()
    expect(page.get_by_text("You said: cat")).to_be_visible()
    approve(loop_site, loop_site.reviewer(), teach(loop_site, TAUGHT_BEFORE))

    staff = new_context().new_page()
    staff.goto(f"{loop_site.url}/review")
    staff.get_by_label("Username").fill(LOGIN[0])
    staff.get_by_label("Password").fill(LOGIN[1])
    staff.get_by_role("button", name="Log in").click()
    expect(staff.locator(".left")).to_have_text("1 left")
    expect(staff.locator("#keys")).to_be_enabled()  # keys are listened to
    staff.keyboard.press("c")
    expect(staff.get_by_role("heading", name="Nothing to review")).to_be_visible()
    staff.get_by_role("link", name="Retrain").click()
    staff.get_by_role("button", name="Retrain now").click()
    expect(staff.get_by_role("heading", name="is better")).to_be_visible(timeout=PATIENCE)

    # The worker follows by itself, within seconds.
    old = page.locator(".foot").inner_text()
    page.goto(loop_site.url)
    while page.locator(".foot").inner_text() == old:
        page.reload()
    upload(page, "cat", 901)
    expect(page.get_by_role("heading", name="It’s a cat")).to_be_visible()
    dog = ask(loop_site, loop_site.visitor(), "dog", 902)
    assert dog["answer"] == "dog"
