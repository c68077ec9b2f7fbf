"""The replies: what people answer where they were paged comes back here, and is relayed as their acknowledgement.

Takes webhooks, keeps a connection to Slack, and asks services for what never came. It judges nothing: what it publishes
is signed by the relay's own key, and the judge says what it comes to.
"""
