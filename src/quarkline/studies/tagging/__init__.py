"""The tagging study: displaced jets told from multijets and beam-induced background."""
