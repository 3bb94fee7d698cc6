"""Commented configs, one an example; `quarkline new` copies them."""
