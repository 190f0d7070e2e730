"""What is done to pictures before a network sees them."""
