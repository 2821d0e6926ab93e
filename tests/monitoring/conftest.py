import pytest

from monitoring.models import TouchedHour
from monitoring.periods import Period
from monitoring.rollup import roll_up
from tests.monitoring.rows import NOW, some_rows, store


@pytest.fixture(params=["counted", "summed", "touched"])
def rows(request, db):
    """Stored rows, whose sums were kept never, lately, or before a change."""
    rows = some_rows()
    if request.param == "touched":
        late = rows.pop()
        store(rows)
        roll_up(NOW)
        store([late])
        assert TouchedHour.objects.exists()
        return [*rows, late]
    store(rows)
    if request.param == "summed":
        roll_up(NOW)
    return rows


@pytest.fixture
def period():
    """All rows but the oldest and the youngest; neither end is a whole hour."""
    rows = sorted(some_rows(), key=lambda row: row.at)
    return Period(rows[2].at, rows[-2].at)
