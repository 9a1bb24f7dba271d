"""What DL/T 645 and CJ/T 188 have in common: meters that share a line and are asked item by item, in frames from 68H to
16H with a sum, for numbers in BCD."""
