"""The version, alone: what imports the package itself would import all that it shows to programs."""

__version__ = "0.1.0"
