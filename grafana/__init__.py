"""Dashboards and alert rules of Grafana as code; `python -m grafana.build` writes what it reads."""
