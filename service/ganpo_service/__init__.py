"""What both long-running processes stand on: MQTT, HTTP, systemd, pauses, log lines. It knows no gateway, no page."""
