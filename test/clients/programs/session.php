<?php
// What test/clients/ asks of a client library, with php-redis: one line of JSON per step.
$port = (int) $argv[1];
$client = new Redis();
$client->connect("127.0.0.1", $port);

function show($step, $result)
{
    echo json_encode(["step" => $step, "result" => $result]), "\n";
    flush();
}

show("ping", $client->ping());

$pipeline = $client->multi(Redis::PIPELINE);
for ($i = 0; $i < 500; $i++) $pipeline->set("php:$i", "value $i");
for ($i = 0; $i < 500; $i++) $pipeline->get("php:$i");
$replies = $pipeline->exec();
$right = 0;
for ($i = 0; $i < 500; $i++) $right += $replies[500 + $i] === "value $i" ? 1 : 0;
show("pipeline", $right);

$orNull = fn($value) => $value === false ? null : $value;
$client->set("php:string", "text");
$client->hMSet("php:hash", ["a" => "1", "b" => "2"]);
$client->rPush("php:list", "x", "y");
$client->sAdd("php:set", "m", "n");
$client->zAdd("php:zset", 1.5, "one", 2, "two");
$client->incrBy("php:counter", 5);
$client->xAdd("php:stream", "1-1", ["field" => "value"]);
$set = $client->sMembers("php:set");
sort($set);
show("types", [
    "string" => $client->get("php:string"),
    "missing" => $orNull($client->get("php:missing")),
    "many" => array_map($orNull, $client->mGet(["php:string", "php:missing", "php:counter"])),
    "hash" => $client->hGetAll("php:hash"),
    "list" => $client->lRange("php:list", 0, -1),
    "set" => $set,
    "score" => $client->zScore("php:zset", "one"),
    "range" => $client->zRange("php:zset", 0, -1),
    "stream" => $client->xLen("php:stream"),
    "deleted" => $client->del("php:string", "php:missing", "php:counter"),
]);

$client->set("php:db", "0");
$client->select(3);
$client->set("php:db", "3");
$third = $client->get("php:db");
$client->select(0);
show("select", [$client->get("php:db"), $third]);

$ready = array_intersect(array_keys($client->info()), ["redis_version", "role", "loading"]);
sort($ready);
show("ready", $ready);
fgets(STDIN);
for (;;) {
    try {
        $value = $client->get("php:db");
        if ($value !== false) break;
    } catch (RedisException $error) {
    }
    usleep(50000);
}
show("reconnect", $value);
