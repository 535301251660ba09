// Short names of images and ports.

import assert from "node:assert/strict";
import { test } from "node:test";

import { shortImage, shortPort, shortPorts } from "../../../static/js/apps/format_container.js";

test("images and ports are shown without what goes without saying", () => {
  assert.equal(shortImage("registry.example.com:5000/shop/web:2.1"), "shop/web:2.1");
  assert.equal(shortImage("library/nginx"), "library/nginx");
  assert.equal(shortImage(`ghcr.io/a/b@sha256:${"0".repeat(64)}`), "a/b");
  assert.equal(shortImage(`sha256:${"1".repeat(64)}`), "111111111111");
  assert.equal(shortPort("0.0.0.0:8080->80/tcp"), "8080→80");
  assert.equal(shortPort("[::]:8080->80/tcp"), "8080→80");
  assert.equal(shortPort(":::8080->80/tcp"), "8080→80");
  assert.equal(shortPort("127.0.0.1:5432->5432/tcp"), "localhost:5432");
  assert.equal(shortPort("0.0.0.0:53->53/udp"), "53→53/udp");
  assert.equal(shortPort("6379/tcp"), "6379/tcp");
  assert.deepEqual(shortPorts(["80/tcp", "0.0.0.0:80->80/tcp", "[::]:80->80/tcp"], 2), {
    text: "80",
    open: true,
  });
  assert.deepEqual(shortPorts(["1/tcp", "2/tcp", "3/tcp"], 2), {
    text: "1/tcp, 2/tcp +1",
    open: false,
  });
});
