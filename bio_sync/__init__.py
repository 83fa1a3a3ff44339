"""Pages-as-code for link-in-bio pages: plan, review and apply YAML page files to an xQR workspace."""

__version__ = "0.1.0"
