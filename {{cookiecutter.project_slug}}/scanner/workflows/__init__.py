"""What GitHub runs for the project: workflows and composite actions."""
