"""Tagging: adversarially trained sequence networks for displaced jets."""
