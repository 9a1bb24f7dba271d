"""Modbus over TCP, TLS, serial lines and converters: cyclic reads. `settings` and `address` open nothing."""
