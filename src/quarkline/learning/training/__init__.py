"""Fits a model to data; knows no study."""
