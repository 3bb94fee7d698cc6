"""What each action of a job does: fill, build, fit, draw."""
