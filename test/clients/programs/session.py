"""What test/clients/ asks of a client library, with python3-redis: one line of JSON per step."""
import json
import sys
import time

import redis

port = int(sys.argv[1])
client = redis.Redis(host="127.0.0.1", port=port, decode_responses=True)


def show(step, result):
    print(json.dumps({"step": step, "result": result}), flush=True)


show("ping", client.ping())

pipeline = client.pipeline(transaction=False)
for i in range(500):
    pipeline.set("py:%d" % i, "value %d" % i)
for i in range(500):
    pipeline.get("py:%d" % i)
replies = pipeline.execute()
show("pipeline", sum(replies[500 + i] == "value %d" % i for i in range(500)))

client.set("py:string", "text")
client.hset("py:hash", mapping={"a": "1", "b": "2"})
client.rpush("py:list", "x", "y")
client.sadd("py:set", "m", "n")
client.zadd("py:zset", {"one": 1.5, "two": 2})
client.incrby("py:counter", 5)
client.xadd("py:stream", {"field": "value"}, id="1-1")
show(
    "types",
    {
        "string": client.get("py:string"),
        "missing": client.get("py:missing"),
        "many": client.mget("py:string", "py:missing", "py:counter"),
        "hash": client.hgetall("py:hash"),
        "list": client.lrange("py:list", 0, -1),
        "set": sorted(client.smembers("py:set")),
        "score": client.zscore("py:zset", "one"),
        "range": client.zrange("py:zset", 0, -1),
        "stream": client.xlen("py:stream"),
        "deleted": client.delete("py:string", "py:missing", "py:counter"),
    },
)

third = redis.Redis(host="127.0.0.1", port=port, db=3, decode_responses=True)
client.set("py:db", "0")
third.set("py:db", "3")
show("select", [client.get("py:db"), third.get("py:db")])

show("ready", sorted(set(client.info()) & {"redis_version", "role", "loading"}))
sys.stdin.readline()
while True:
    try:
        show("reconnect", client.get("py:db"))
        break
    except redis.ConnectionError:
        time.sleep(0.05)
