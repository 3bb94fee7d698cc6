"""Built-in simulation of jets: displaced decays, multijets, beam-induced background, control."""
