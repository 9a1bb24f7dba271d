"""OPC UA over asyncua: cyclic reads. `driver` loads asyncua, `settings` and `address` do not."""
