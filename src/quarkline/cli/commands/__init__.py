"""One file a command: its arguments and the rendering of its result."""
