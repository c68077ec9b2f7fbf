"""The board: pages and an API over what the record answers, for people who do not live in a terminal.

Thin: what is asked of the store are its questions, what people state goes through `statements`, what is judged is
judged elsewhere. It keeps nothing but what it reads.
"""
