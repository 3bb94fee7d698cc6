"""Resonance search: anomaly detection in sidebands and a bump hunt (CATHODE)."""
