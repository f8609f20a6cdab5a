"""What is known of the packages in the lock, and where it is known from."""
