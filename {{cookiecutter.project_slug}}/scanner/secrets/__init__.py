"""Finding credentials in text, by their formats and by their names."""
