"""What an author of a clause needs: what goes into it and comes out of it, and ready pieces. Pure; no engine."""
