"""Training a classifier whose outputs do not tell two samples apart, such as data and simulation.

The two samples make up a control region that holds none of what the classifier looks for. `config`
has the ways, `losses` the distances of distributions, `reversal` the turned gradient and its
course, `network` the adversary, `task` what a training does with them.
"""
