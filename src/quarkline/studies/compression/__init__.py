"""Compression: learned compression of event tables with a guaranteed error bound."""
