"""The project's security scanner; it runs at the desk and in CI."""
