"""One training step of a VAE by hand, every number computed."""
