"""Sources and sinks of events, expressions, selection, identity and folds."""
