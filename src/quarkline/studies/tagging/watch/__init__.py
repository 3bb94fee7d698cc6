"""What is seen of a training, epoch by epoch: quantities, K-S tests, histograms, figures."""
