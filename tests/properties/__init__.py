"""Properties that hold for any input, against independent naive models."""
