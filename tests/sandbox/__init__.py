"""Tests of the local xQR; a package, so that its conftest does not collide with the one above."""
