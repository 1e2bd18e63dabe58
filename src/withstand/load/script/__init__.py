"""What virtual users written in Python are given: the pure side of user scripts."""
