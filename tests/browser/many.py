"""Many small photos at once, and where their cards are."""

from tests.photos import photo_bytes


def drawings(count, first=0):
    """Files to choose: drawn photos of different colours, `0.png`, `1.png` and so on."""
    return [
        {
            "name": f"{number}.png",
            "mimeType": "image/png",
            "buffer": photo_bytes(format="PNG", colour=(number * 4 % 250, 120, 40)),
        }
        for number in range(first, first + count)
    ]


def card(page, name):
    """The card of the photo with this file name, in whatever state."""
    return page.locator(f'#answer > .card[aria-label="{name}"]')


def hold(page, address="**/classify/"):
    """Keep requests from reaching the server, and give the list that collects them."""
    held = []
    page.route(address, lambda route: held.append(route))
    return held
