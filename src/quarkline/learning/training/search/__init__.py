"""Searches for good hyper-parameters of any study that has a training objective."""
