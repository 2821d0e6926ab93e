"""The admin, under our name."""

from django.contrib import admin


class CatsDogsAdmin(admin.AdminSite):
    site_title = site_header = "catsdogs"
    index_title = "Predictions, feedback and versions"
