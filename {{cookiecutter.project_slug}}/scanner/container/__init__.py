"""What builds and runs the server: images, compose files and manifests."""
