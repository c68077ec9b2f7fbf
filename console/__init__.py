"""The command line: thin compositions of the language, the stages and the local stack."""
