"""A dropped folder: its photos are taken, what lies beside them is not, an empty one is named."""

import pytest
from playwright.sync_api import expect

from tests.browser.drags import drag
from tests.browser.many import card
from tests.photos import photo_bytes


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "holiday"
    (folder / "sunday" / "evening").mkdir(parents=True)
    for name, colour in {
        "2.jpg": (200, 90, 40),
        "10.jpg": (20, 90, 140),
        "sunday/evening/3.jpg": (20, 190, 40),
    }.items():
        (folder / name).write_bytes(photo_bytes(colour=colour))
    (folder / "notes.txt").write_text("Not a photo.")
    (folder / ".hidden.jpg").write_bytes(b"a thumbnail of somebody's computer")
    return folder


def names(page):
    cards = page.locator("#answer > .card").all()
    return [each.get_attribute("aria-label") for each in cards]


def test_the_photos_of_a_folder_and_of_those_in_it_are_answered(home, folder):
    drag(home, [folder])

    expect(home.locator("[data-answer=cat]")).to_have_count(3)
    assert names(home) == ["2.jpg", "10.jpg", "3.jpg"]


def test_a_photo_dropped_beside_a_folder_is_taken_too(home, folder, tmp_path):
    (tmp_path / "alone.jpg").write_bytes(photo_bytes())

    drag(home, [folder, tmp_path / "alone.jpg"])

    expect(home.locator("[data-answer=cat]")).to_have_count(4)
    assert sorted(names(home)) == ["10.jpg", "2.jpg", "3.jpg", "alone.jpg"]


def test_a_folder_without_photos_is_named_as_such(home, tmp_path):
    folder = tmp_path / "taxes"
    folder.mkdir()
    (folder / "2025.txt").write_text("Not a photo.")

    drag(home, [folder])

    expect(card(home, "taxes").get_by_role("heading")).to_have_text("No photos in there")
    expect(card(home, "taxes")).to_contain_text("in the folder “taxes”")
    card(home, "taxes").get_by_role("button", name="Take it away").click()
    expect(home.locator("#answer .card")).to_have_count(0)


def test_a_photo_dropped_on_another_page_changes_nothing(home, folder, quick_site):
    home.evaluate("window.mark = true")
    home.set_input_files("#photo", folder / "2.jpg")
    expect(home.locator("[data-answer=cat]")).to_have_count(1)
    home.get_by_role("link", name="History").click()
    expect(home.get_by_role("heading", level=1)).to_have_text("Your photos")

    drag(home, [folder / "10.jpg"])

    expect(home).to_have_url(f"{quick_site}/history")
    expect(home.locator("html.dropping")).to_have_count(0)
    home.get_by_role("link", name="Classify").click()
    expect(home.locator("#answer > .card")).to_have_count(1)
    assert names(home) == ["2.jpg"]
    assert home.evaluate("window.mark")
    drag(home, [folder / "10.jpg"])
    expect(home.locator("[data-answer=cat]")).to_have_count(2)
