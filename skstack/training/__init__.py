"""The trainer: fitting and applying Keras networks."""
