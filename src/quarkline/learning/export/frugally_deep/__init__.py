"""Networks as frugally-deep's JSON, which C++ programs read; written, read and computed here."""
