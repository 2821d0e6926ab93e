"""What the benchmark measures on is like real rows, and never mixes with them."""

from datetime import timedelta

import pytest
from django.db import connection

from benchmarks.seed_predictions import seed
from classifier.models import Prediction
from feedback.models import Feedback
from monitoring import figures
from monitoring.models import TouchedHour
from tests.make import make_prediction, make_version

pytestmark = pytest.mark.django_db(transaction=True)


def test_made_up_rows_are_whole_and_spread_over_the_days():
    make_version(live=True)
    if connection.vendor != "postgresql":
        with pytest.raises(SystemExit, match="postgresql"):
            seed(500, days=2)
        return

    seed(500, days=2)

    Prediction.objects.first().full_clean()
    Feedback.objects.first().full_clean()
    found = figures.answers(figures.Period.last(timedelta(days=3)))
    assert found.count == 500
    assert set(found.by_answer) == {"cat", "dog", "unsure", "neither"}
    assert not TouchedHour.objects.exists()  # they are noted again from now on
    Prediction.objects.all().delete()
    assert TouchedHour.objects.exists()


def test_a_database_with_predictions_is_left_alone():
    make_prediction()

    with pytest.raises(SystemExit):
        seed(500, days=2)

    assert Prediction.objects.count() == 1
