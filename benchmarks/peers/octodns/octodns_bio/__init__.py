"""What somebody would install beside octoDNS: live pages as zones."""
