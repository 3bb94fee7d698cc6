"""Builds what a tagger learns from: jets of three classes, and a control region."""
