/** Every spelling of the addresses of listeners and servers, and the ring names they give. */
import { describe, expect, test } from "bun:test";
import { NUMBER_MAX, readDigits, readListen, readServer } from "../../src/config/addresses.ts";
import type { ListenConfig, ServerConfig } from "../../src/config/config.ts";

function listen(text: string): ListenConfig {
  const reading = readListen(text);
  if ("refusal" in reading) throw new Error(reading.refusal.legacy);
  return reading.value;
}

function server(text: string): ServerConfig {
  const reading = readServer(text);
  if ("refusal" in reading) throw new Error(reading.refusal.legacy);
  return reading.value;
}

describe("numbers", () => {
  test.each([
    ["0", 0],
    ["007", 7],
    ["2147483647", NUMBER_MAX],
    ["2147483648", -1],
    ["9".repeat(400), -1],
    [`${"0".repeat(400)}1`, 1],
    ["", -1],
    ["-0", -1],
    ["1 ", -1],
    ["1\n", -1],
    ["١", -1],
  ])("%p is %p", (text, number) => {
    expect(readDigits(text)).toBe(number);
  });
});

describe("listen", () => {
  test.each([
    ["127.0.0.1:22121", "127.0.0.1", 22121],
    ["::1:22121", "::1", 22121],
    ["[::1]:22121", "::1", 22121],
    [":::22121", "::", 22121],
    ["[::]:22121", "::", 22121],
    ["fe80::1%eth0:1", "fe80::1%eth0", 1],
    ["localhost:00080", "localhost", 80],
    ["*:65535", "*", 65535],
    ["1.2.3.4.5:1", "1.2.3.4.5", 1],
  ])("%s", (text, host, port) => {
    expect(listen(text)).toEqual({ text, address: { kind: "tcp", host, port }, mode: 0 });
  });

  test.each([
    ["/tmp/a.sock", "/tmp/a.sock", 0],
    ["/tmp/a.sock 0660", "/tmp/a.sock", 0o660],
    ["/tmp/a.sock 777", "/tmp/a.sock", 0o777],
    ["/tmp/a.sock 000000666", "/tmp/a.sock", 0o666],
    ["/tmp/with blank 0600", "/tmp/with blank", 0o600],
    ["/tmp/a.sock  0600", "/tmp/a.sock ", 0o600],
    ["/tmp/a:1", "/tmp/a:1", 0],
  ])("%s", (text, path, mode) => {
    expect(listen(text)).toEqual({ text, address: { kind: "unix", path }, mode });
  });

  test("a path may have 107 bytes, not 107 characters", () => {
    expect(listen(`/${"é".repeat(53)}`).address).toEqual({
      kind: "unix",
      path: `/${"é".repeat(53)}`,
    });
    expect(() => listen(`/${"é".repeat(54)}`)).toThrow("has an invalid value");
  });

  test.each(["/tmp/a rw", "/tmp/a 0888", "/tmp/a 1000", "/tmp/a ", "/tmp/a -1", "/tmp/a 0x1"])(
    "the mode of %p is refused",
    (text) => {
      expect(() => listen(text)).toThrow("has an invalid file permission in");
    },
  );

  test("NUL would cut an address short", () => {
    expect(() => listen("/tmp/a\0b")).toThrow("has an invalid value");
    expect(() => listen("localhost\0:1")).toThrow("has an invalid value");
  });

  test.each([":1", "[]:1"])("%s has no host", (text) => {
    expect(() => listen(text)).toThrow("has an invalid value");
  });
});

describe("servers", () => {
  test.each([
    // item, ring name, display name, host, port, weight
    ["127.0.0.1:6379:1", "127.0.0.1:6379", "127.0.0.1:6379:1", "127.0.0.1", 6379, 1],
    ["127.0.0.1:6379:5 red", "red", "127.0.0.1:6379:5", "127.0.0.1", 6379, 5],
    ["cache.example:11211:1", "cache.example", "cache.example:11211:1", "cache.example", 11211, 1],
    [
      "cache.example:011211:1",
      "cache.example",
      "cache.example:011211:1",
      "cache.example",
      11211,
      1,
    ],
    ["cache.example:11211:1 c", "c", "cache.example:11211:1", "cache.example", 11211, 1],
    ["x:0080:01", "x:0080", "x:0080:01", "x", 80, 1],
    ["::1:6379:1", "::1:6379", "::1:6379:1", "::1", 6379, 1],
    ["fe80::1:6379:1 n", "n", "fe80::1:6379:1", "fe80::1", 6379, 1],
    ["[::1]:6379:1", "[::1]:6379", "[::1]:6379:1", "::1", 6379, 1],
    ["[::1]:11211:1", "[::1]", "[::1]:11211:1", "::1", 11211, 1],
    ["[fe80::1%eth0]:1:1 n", "n", "[fe80::1%eth0]:1:1", "fe80::1%eth0", 1, 1],
    ["a:b:17100:1", "a:b:17100", "a:b:17100:1", "a:b", 17100, 1],
    [":6379:1", ":6379", ":6379:1", "", 6379, 1],
    ["x y:1:1 n", "n", "x y:1:1", "x y", 1, 1],
    ["x:1:1 n:2:3", "n:2:3", "x:1:1", "x", 1, 1],
    ["x:1:1 ", "", "x:1:1 ", "x", 1, 1],
    ["x:1:2147483647", "x:1", "x:1:2147483647", "x", 1, 2147483647],
  ])("%p", (item, name, displayName, host, port, weight) => {
    expect(server(item)).toEqual({
      name,
      displayName,
      address: { kind: "tcp", host, port },
      weight,
    });
  });

  test.each([
    ["/tmp/a.sock:1", "/tmp/a.sock:", "/tmp/a.sock:1", "/tmp/a.sock", 1],
    ["/tmp/a.sock:7 red", "red", "/tmp/a.sock:7", "/tmp/a.sock", 7],
    ["/tmp/a b:1 n", "n", "/tmp/a b:1", "/tmp/a b", 1],
  ])("%p", (item, name, displayName, path, weight) => {
    expect(server(item)).toEqual({ name, displayName, address: { kind: "unix", path }, weight });
  });

  test("NUL would cut an address short", () => {
    expect(() => server("/tmp/a\0b:1")).toThrow("has an invalid");
    expect(() => server("x\0y:1:1")).toThrow("has an invalid");
  });
});

test("a name with a blank in it: the name is to blame, not the weight", () => {
  const allowed = (item: string) => {
    const reading = readServer(item);
    return "refusal" in reading ? reading.refusal.allowed : "it is accepted";
  };
  const name = "one blank behind the weight, and then a name without blanks";
  for (const item of ["h:1:1 a b", "127.0.0.1:31001:1  b", "/s:1 a b", "h:1:1 a b c"]) {
    expect([item, allowed(item)]).toEqual([item, name]);
  }
  expect(allowed("h:1:x b")).toBe("a weight from 1 to 2147483647");
  expect(allowed("h:1:0 b")).toBe("a weight from 1 to 2147483647");
});
