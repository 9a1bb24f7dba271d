"""Facts and day rows to a time-series store that speaks the InfluxDB v2 write API (architecture.md)."""
