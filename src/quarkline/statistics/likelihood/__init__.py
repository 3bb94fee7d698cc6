"""Binned likelihoods of HistFactory's kind: the model, its fits, and what follows from them."""
