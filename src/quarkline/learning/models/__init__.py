"""Model families behind one registry, and the artifact a trained model is stored as."""
