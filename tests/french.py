"""What tests of the French pages share."""

import re
from datetime import UTC, datetime, timedelta

from tests.make import make_run

# What a French browser asks for.
FRENCH = {"Accept-Language": "fr-FR,fr;q=0.9,en;q=0.5"}
THIN, HARD = "\u202f", "\u00a0"

AT = datetime(2026, 8, 4, 15, 7, tzinfo=UTC)
_CHECK = {
    "name": "base log loss",
    "passed": False,
    "candidate": 0.1234,
    "live": 0.11,
    "limit": "at most 0.1230",
    "words": "The log loss on the base is 0.1234, with the live version 0.1100.",
}


def said(response, status=200):
    """What a page says, without its markup; its language is French."""
    assert response.status_code == status
    assert response.headers["Content-Language"] == "fr"
    return " ".join(re.sub(r"<[^>]+>", " ", response.text).split(" "))


def make_refused_run(live, candidate):
    """A retraining at `AT`, whose candidate was refused for its log loss."""
    return make_run(
        state="done",
        outcome="refused",
        live=live,
        candidate=candidate,
        num_photos=1,
        problem=_CHECK["words"],
        verdict={"passed": False, "checks": [_CHECK]},
        started_at=AT,
        finished_at=AT + timedelta(seconds=100),
    )
