"""What a device or a person can get wrong, played with real parts; each case gives what was told."""
