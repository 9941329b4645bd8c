"""Models by name: where they are, which versions there are, and which are loaded."""
