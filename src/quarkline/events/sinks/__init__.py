"""Where events are written to: one file a format behind one registry."""
