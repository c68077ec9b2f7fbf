"""What a person states on record (an answer, an announcement, an attestation): made, sent, and its verdict awaited.

For whatever speaks for people: commands and the board. Prints nothing, and reads no private key.
"""
