"""Let Grafana read the figures, and nothing else."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from monitoring.grafana import ROLE, SCHEMA, RoleError, set_up


class Command(BaseCommand):
    help = (
        "Creates or updates the role with which Grafana reads PostgreSQL: its password is "
        "CATSDOGS_GRAFANA_PASSWORD. It may execute the functions of monitoring/grafana.sql, which "
        f"are put into the schema {SCHEMA} anew, and may read no table. To be run after migrate."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--role", default=ROLE, help=f"Its name; {ROLE} by default.")

    def handle(self, *args: Any, **options: Any) -> None:
        password = settings.GRAFANA_PASSWORD
        if not password:
            raise CommandError("Set CATSDOGS_GRAFANA_PASSWORD, the password that Grafana will use.")
        try:
            set_up(options["role"], password)
        except RoleError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"The role {options['role']} may read what Grafana shows, no more.")
