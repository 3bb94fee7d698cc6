"""Reconstruction: regression of physical quantities from detector images."""
