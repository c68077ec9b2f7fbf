"""What is removed from the store when its time is over, and what is held."""
