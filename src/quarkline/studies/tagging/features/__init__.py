"""What networks are told of jets: chosen, split, scaled, and kept on disk."""
