#!/usr/bin/env python
"""Django's command line."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "catsdogs.settings")
    # Where a server started this, its counts for Prometheus are not ours to add to.
    os.environ.pop("PROMETHEUS_MULTIPROC_DIR", None)
    if sys.argv[1:2] == ["classify"]:
        # NumPy's own threads would contend for the cores that photos are answered on, and halve the
        # pace. Set here because NumPy reads it when it is imported, with the apps.
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
