"""Every operation of pymemcache, against the port that is given; ends with 1 if one of them fails."""
import sys

from pymemcache.client.base import Client

client = Client(("127.0.0.1", int(sys.argv[1])), timeout=5, connect_timeout=5)
many = {f"k{i}": str(i).encode() for i in range(100)}

# Its stores are noreply unless told otherwise.
assert client.set("silent", b"1") is True
assert client.get("silent") == b"1"
assert client.set("n", b"5", noreply=False) is True
assert client.get_many(["silent", "n", "missing"]) == {"silent": b"1", "n": b"5"}
assert client.set_many(many) == []
assert client.get_many(list(many)) == many
assert client.incr("n", 3) == 8
assert client.decr("n", 3, noreply=True) is None
value, unique = client.gets("n")
assert value == b"5"
assert client.gets_many(["n", "missing"]) == {"n": (b"5", unique)}
assert client.cas("n", b"7", unique) is True
assert client.cas("n", b"7", unique) is False
assert client.add("n", b"9", noreply=False) is False
assert client.replace("n", b"9", noreply=False) is True
assert client.append("n", b"8", noreply=False) is True
assert client.prepend("n", b"7", noreply=False) is True
assert client.get("n") == b"798"
assert client.touch("n", 100, noreply=False) is True
assert client.delete("n", noreply=False) is True
assert client.delete("n", noreply=False) is False
assert client.delete_many(["silent", "k1"]) is True
assert client.get("silent") is None
assert client.set("large", b"x" * 900_000, noreply=False) is True
assert client.get("large") == b"x" * 900_000
assert client.version().count(b".") == 2
assert client.stats()[b"curr_connections"] >= 1
assert client.flush_all(noreply=False) is True
assert client.get_many(list(many)) == {}
client.quit()
