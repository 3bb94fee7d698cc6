"""The second half of a search: templates, what is measured with them, and its figures."""
