"""Tools of the scan's own, dropped among the project's."""
