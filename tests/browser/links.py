"""What a link does that swaps the page and keeps the document, as a test sees it."""

from playwright.sync_api import expect

SECONDS = 20_000  # in milliseconds: a page of many figures, on a busy machine


def mark(page):
    """Remember the document, so that another one in its place is noticed."""
    page.evaluate("window.mark = true")


def is_same_document(page):
    return page.evaluate("window.mark === true")


def follow(page, name):
    page.get_by_role("link", name=name, exact=True).click()


def heading(page):
    return page.get_by_role("heading", level=1)


def arrived(page, title):
    expect(heading(page)).to_have_text(title, timeout=SECONDS)
    expect(heading(page)).to_be_focused()
