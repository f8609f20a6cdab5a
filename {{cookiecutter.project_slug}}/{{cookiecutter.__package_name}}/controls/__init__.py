"""The controls that every call passes, one FastMCP middleware a file."""
