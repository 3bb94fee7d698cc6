"""What a referee asks of the search, one module a question."""
