"""A model artifact as a foreign file, verified by a second runtime."""
