"""The entry point of a server: what runs beside the requests starts here."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "catsdogs.settings")
_django = get_wsgi_application()

# They need the settings that the line above has read.
from catsdogs.door import Door  # noqa: E402
from classifier import database, journal, refusals, serving  # noqa: E402
from feedback import tasks  # noqa: E402
from monitoring import alerts  # noqa: E402

application = Door(_django)
database.install()
serving.start()
journal.start()
refusals.start()
tasks.start_reaper()
alerts.start()
