"""What each figure and the page cost: the first, the median, the worst of some runs, in ms.

python -m benchmarks.figures --database postgresql://…
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable
from datetime import timedelta

import django
from django.conf import settings
from django.test import Client

_PLAIN = "django.contrib.staticfiles.storage.StaticFilesStorage"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--database", required=True)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--runs", type=int, default=7)
    options = parser.parse_args()
    os.environ["DATABASE_URL"] = options.database
    os.environ["DJANGO_SETTINGS_MODULE"] = "catsdogs.settings"
    os.environ |= {"CATSDOGS_INSIGHTS_OPEN": "true", "ALLOWED_HOSTS": "*", "DEBUG": "true"}
    django.setup()
    settings.DEBUG = False  # which keeps every query
    # Static files need not be collected for this.
    settings.STORAGES["staticfiles"] = {"BACKEND": _PLAIN}
    from classifier.models import Prediction
    from monitoring import figures
    from monitoring.picker import RANGES

    period = figures.Period.last(timedelta(days=options.days))
    print(f"{Prediction.objects.count():,} predictions, the last {options.days} days\n")
    print("| figure | first | median | worst |\n| --- | --- | --- | --- |")
    of_a_period = [
        name
        for name in figures.__all__
        if name[0].islower() and name not in ("database", "model_age", "review_backlog", "spool")
    ]
    for name in of_a_period:
        figure = getattr(figures, name)
        _measure(name, lambda figure=figure: figure(period), options.runs)
    for name in ("database", "model_age", "review_backlog", "spool"):
        _measure(name, getattr(figures, name), options.runs)
    for name in RANGES:
        _measure(f"/insights?range={name}", _page(name), options.runs)


def _page(chosen: str) -> Callable[[], object]:
    """The whole page, as a visitor gets it, but for the way through the server."""
    client = Client()

    def ask() -> None:
        response = client.get("/insights", {"range": chosen}, secure=True)
        if response.status_code != 200:
            raise RuntimeError(f"/insights answers {response.status_code}.")

    return ask


def _measure(name: str, figure: Callable[[], object], runs: int) -> None:
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        figure()
        times.append((time.perf_counter() - started) * 1000)
    row = (times[0], statistics.median(times), max(times))
    print(f"| `{name}` | " + " | ".join(f"{each:.0f}" for each in row) + " |", flush=True)


if __name__ == "__main__":
    main()
