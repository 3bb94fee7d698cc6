"""One file a verb: the Python function behind each command."""
