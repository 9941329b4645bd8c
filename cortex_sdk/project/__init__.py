"""What the user brings: files, a class in them or in a notebook, and what they need."""
