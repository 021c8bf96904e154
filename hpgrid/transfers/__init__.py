"""From the hyperparameters of one budget to those of another."""
