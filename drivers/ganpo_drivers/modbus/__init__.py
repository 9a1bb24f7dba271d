"""Modbus TCP over pymodbus: cyclic reads. `driver` loads pymodbus, `settings` and `address` do not."""
