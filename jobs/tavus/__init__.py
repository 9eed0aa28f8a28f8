"""Everything that knows Tavus: what goes over the wire, the client that sends it, and a sandbox that answers
like it. It does not know why a conversation is wanted, when, or what is done about a failure.
"""
