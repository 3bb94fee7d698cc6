"""A model artifact and events in, score columns out."""
