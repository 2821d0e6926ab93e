"""The entry point of a server: loads the live version beside the first requests."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "catsdogs.settings")
application = get_wsgi_application()

from classifier import refusals, serving  # noqa: E402  needs the settings that the line above has read

serving.start()
refusals.start()
