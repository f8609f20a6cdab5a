"""One module a format; all of them know only the model."""
