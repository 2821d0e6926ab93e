"""Where there is no PostgreSQL, Grafana has nothing to read, and the command says so."""

import pytest
from django.core.management import CommandError, call_command
from django.db import connection


def test_sqlite_has_no_role_for_grafana(db, settings, monkeypatch):
    settings.GRAFANA_PASSWORD = "only for tests"
    monkeypatch.setattr(connection, "vendor", "sqlite")

    with pytest.raises(CommandError, match="Grafana reads PostgreSQL"):
        call_command("grafana_role")
