"""What is answered: a file per resource, with the dataclass that is its JSON, its columns and what its page shows, and
the function that answers a question."""
