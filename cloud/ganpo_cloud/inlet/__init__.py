"""What arrives: decoded, stored, marked; nothing here recomputes."""
