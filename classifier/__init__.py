"""From an upload to a logged answer."""
