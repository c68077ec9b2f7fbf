"""What is going on now, followed from the topics: it is shown while the store is away too."""
