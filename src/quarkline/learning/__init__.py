"""From events to models to scores: features, models, training, scoring, export and codecs."""
