"""The TRExFitter language: parse, check and translate to `catalog` and `templates`."""
