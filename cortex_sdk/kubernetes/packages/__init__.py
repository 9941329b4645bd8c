"""What pods install: this package as a wheel, and the packages that a project uses."""
