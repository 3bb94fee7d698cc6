"""One-pass histogram filling for many regions, and the likelihood's specification."""
