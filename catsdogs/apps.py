"""Which admin site the project uses."""

from django.contrib.admin.apps import AdminConfig


class CatsDogsAdminConfig(AdminConfig):
    default_site = "catsdogs.admin.CatsDogsAdmin"
