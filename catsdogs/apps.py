"""The project itself, for its commands, and which admin site it uses."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class CatsDogsConfig(AppConfig):
    name = "catsdogs"


class CatsDogsAdminConfig(AdminConfig):
    default_site = "catsdogs.admin.CatsDogsAdmin"
