"""Page: tells the person who must act, and watches the other stages. Begin at `stage`."""
