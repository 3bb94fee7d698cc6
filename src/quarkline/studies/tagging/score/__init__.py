"""The three outputs of a network for tables of jets, and a report on them."""
