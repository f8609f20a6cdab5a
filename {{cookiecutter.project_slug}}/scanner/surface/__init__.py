"""What a model is told of the server, and what may hide in it."""
