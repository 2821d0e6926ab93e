"""From logs to something a person acts on."""
