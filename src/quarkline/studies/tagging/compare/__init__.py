"""Runs of the tagging study side by side: their epochs, losses, efficiencies and settings."""
