"""Stages, plans and runs: what would run and why, and running it so that a kill costs nothing."""
