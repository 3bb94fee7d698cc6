"""Friends: columns beside another file's events, with the proof that they belong to them."""

from quarkline.events.friends.proof import FriendProof, has_proof
from quarkline.events.friends.read import With, with_friends
from quarkline.events.friends.write import FriendSink

__all__ = ["FriendProof", "FriendSink", "With", "has_proof", "with_friends"]
