"""What all questions measure with."""
