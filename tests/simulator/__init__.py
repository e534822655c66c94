"""What the simulated devices do, as a specification."""
