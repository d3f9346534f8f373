"""Every operation of pylibmc (libmemcached), against the port that is given."""
import sys

import pylibmc

server = f"127.0.0.1:{int(sys.argv[1])}"
many = {f"k{i}": i for i in range(200)}

for behaviors in ({"cas": True}, {"cas": True, "tcp_nodelay": True, "buffer_requests": False}):
    client = pylibmc.Client([server], binary=False, behaviors=behaviors)
    assert client.set("a", {"x": 1})
    assert client.get("a") == {"x": 1}
    assert client.set_multi(many) == []
    assert client.get_multi([*many, "missing"]) == many
    assert client.set("n", 5)
    assert client.incr("n") == 6
    assert client.decr("n", 2) == 4
    value, unique = client.gets("a")
    assert client.cas("a", 5, unique)
    assert client.get("a") == 5
    assert client.add("a", 1) is False
    assert client.replace("a", "text")
    assert client.append("a", "end") and client.prepend("a", "start")
    assert client.get("a") == "starttextend"
    assert client.touch("n", 100)
    assert client.delete("a")
    assert client.get("a") is None
    assert client.delete_multi(["k1", "k2"])
    large = b"x" * 900_000
    assert client.set("large", large)
    assert client.get("large") == large
    assert client.get_stats()[0][1]["curr_connections"]
    assert client.flush_all()
    assert client.get_multi(list(many)) == {}
