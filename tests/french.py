"""What tests of the French pages share."""

import re

# What a French browser asks for.
FRENCH = {"Accept-Language": "fr-FR,fr;q=0.9,en;q=0.5"}
THIN, HARD = "\u202f", "\u00a0"


def said(response, status=200):
    """What a page says, without its markup; its language is French."""
    assert response.status_code == status
    assert response.headers["Content-Language"] == "fr"
    return " ".join(re.sub(r"<[^>]+>", " ", response.text).split(" "))
