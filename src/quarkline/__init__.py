"""Quarkline: a high-energy-physics analysis from ntuples to a result, with machine learning in the middle."""

__version__ = "0.1.0"
