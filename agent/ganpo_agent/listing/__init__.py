"""Lists of the gateway as files: what a file would change, writing them, workbooks to fill in, tags of others."""
