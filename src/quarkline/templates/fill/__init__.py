"""Histogram filling: every file is read once for all regions, samples and systematics."""

from quarkline.templates.fill.filled import Allowed, Filled
from quarkline.templates.fill.requests import HistRequest, requests_of
from quarkline.templates.fill.run import fill

__all__ = ["Allowed", "Filled", "HistRequest", "fill", "requests_of"]
