"""Training files side by side: what is in them, and how their columns are distributed."""
