"""Training: the loop, the selection rule, checkpoints, devices."""
