"""The rebuilt macros do what Grafana's documentation says, and refuse what Grafana refuses."""

from datetime import UTC, datetime

import pytest

from tests.grafana.macros import MacroError, expand

SINCE, UNTIL = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, 3, 4, 5, 600, tzinfo=UTC)


@pytest.mark.parametrize(
    ("query", "expanded"),
    [
        ("$__timeFrom()", "'2026-01-01T00:00:00Z'"),
        ("$__timeTo()", "'2026-01-02T03:04:05.000600Z'"),
        (
            "$__timeFilter(at)",
            "at BETWEEN '2026-01-01T00:00:00Z' AND '2026-01-02T03:04:05.000600Z'",
        ),
        ("$__timeGroup(at, '5m')", "floor(extract(epoch from at)/300)*300"),
        ("$__timeGroup(at,'1h'), x", 'floor(extract(epoch from at)/3600)*3600 AS "time", x'),
        ("'$interval'", "'6h'"),
        ("${version:sqlstring}", "'it''s one'"),
        ("f(${all:sqlstring})", "f(NULL)"),
    ],
)
def test_what_becomes_of_a_query(query, expanded):
    chosen = {"interval": "6h", "version": "it's one", "all": None}

    assert expand(query, SINCE, UNTIL, chosen) == expanded


@pytest.mark.parametrize("query", ["$__timeAgo()", "$nobody", "$__interval", "${nobody:sqlstring}"])
def test_what_is_refused(query):
    with pytest.raises(MacroError):
        expand(query, SINCE, UNTIL)
