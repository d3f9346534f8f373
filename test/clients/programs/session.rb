# What test/clients/ asks of a client library, with ruby-redis: one line of JSON per step.
require "json"
require "redis"

$stdout.sync = true
client = Redis.new(host: "127.0.0.1", port: ARGV[0].to_i)

def show(step, result)
  puts JSON.generate({ step: step, result: result })
end

show("ping", client.ping)

replies = client.pipelined do |pipeline|
  500.times { |i| pipeline.set("rb:#{i}", "value #{i}") }
  500.times { |i| pipeline.get("rb:#{i}") }
end
show("pipeline", (0...500).count { |i| replies[500 + i] == "value #{i}" })

client.set("rb:string", "text")
client.hset("rb:hash", { "a" => "1", "b" => "2" })
client.rpush("rb:list", %w[x y])
client.sadd("rb:set", %w[m n])
client.zadd("rb:zset", [[1.5, "one"], [2, "two"]])
client.incrby("rb:counter", 5)
client.xadd("rb:stream", { "field" => "value" }, id: "1-1")
show("types", {
  string: client.get("rb:string"),
  missing: client.get("rb:missing"),
  many: client.mget("rb:string", "rb:missing", "rb:counter"),
  hash: client.hgetall("rb:hash"),
  list: client.lrange("rb:list", 0, -1),
  set: client.smembers("rb:set").sort,
  score: client.zscore("rb:zset", "one"),
  range: client.zrange("rb:zset", 0, -1),
  stream: client.xlen("rb:stream"),
  deleted: client.del("rb:string", "rb:missing", "rb:counter"),
})

client.set("rb:db", "0")
client.select(3)
client.set("rb:db", "3")
third = client.get("rb:db")
client.select(0)
show("select", [client.get("rb:db"), third])

show("ready", client.info.keys.select { |key| %w[redis_version role loading].include?(key) }.sort)
$stdin.gets
begin
  show("reconnect", client.get("rb:db"))
rescue Redis::BaseConnectionError
  sleep 0.05
  retry
end
