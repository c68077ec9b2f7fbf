"""The wire: schemas, framing, coding, text form and topics of the records. It sends and receives nothing."""
