"""Trains taggers of displaced jets, with an adversary or without."""
