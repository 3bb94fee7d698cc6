"""The chosen network as files of other programs."""
