"""What a page says, as a reader of its markup finds it."""

from html.parser import HTMLParser


class _Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tables, self.tiles, self.ids = {}, {}, []
        self._rows = self._words = None
        self._name = ""

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if "id" in attrs:
            self.ids.append(attrs["id"])
        if tag == "table":
            self._rows = self.tables.setdefault(attrs["id"].removeprefix("table-"), [])
        elif tag == "tr":
            self._rows.append([])
        elif tag in ("th", "td", "dt", "small") or attrs.get("class") == "value":
            self._words = ""

    def handle_data(self, data):
        if self._words is not None:
            self._words += data

    def handle_endtag(self, tag):
        if self._words is None or tag not in ("th", "td", "dt", "small", "span"):
            return
        words, self._words = " ".join(self._words.split()), None
        if tag in ("th", "td"):
            self._rows[-1].append(words)
        elif tag == "dt":
            self._name = words
        elif tag == "span":
            self.tiles[self._name] = [words]
        else:
            self.tiles[self._name].append(words)


def read(html):
    """Its `tables`, name to rows of words with the head first; its `tiles`, name to words."""
    reader = _Reader()
    reader.feed(html)
    return reader
