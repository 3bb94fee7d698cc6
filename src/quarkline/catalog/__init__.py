"""Sample, Region, Weight, Systematic and Luminosity: the analysis in neutral words."""
