"""What the architectures are built of. ``convolutions`` imports PyG, so it is imported when a model is built."""
