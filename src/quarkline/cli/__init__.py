"""Parses arguments, calls one function of `quarkline.tools` and renders the result."""
