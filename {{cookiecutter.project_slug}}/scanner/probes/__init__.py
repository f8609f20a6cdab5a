"""Attacks on the running server, and what holds against them."""
