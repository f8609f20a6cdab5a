"""What runs a command apart from the server: its own process, its own limits.

The modules here import nothing but the standard library and each other: they
run in a small process of their own, with none of the server's memory.
"""
