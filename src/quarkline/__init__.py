"""A high-energy-physics analysis from ntuples to a result, with machine learning inside."""

__version__ = "0.1.0"
