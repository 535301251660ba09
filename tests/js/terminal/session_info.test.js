// What is said of a terminal, and what can be told of it from outside.

import assert from "node:assert/strict";
import { test } from "node:test";

import { leavesTerminal } from "../../../static/js/terminal/key_presses.js";
import * as texts from "../../../static/js/terminal/session_info.js";

const { looksBusy, nameOfSession } = texts;

/** A screen whose cursor is at the end of this line. */
const at = (line, type = "normal") => ({
  buffer: {
    active: {
      type,
      baseY: 0,
      cursorY: 0,
      cursorX: line.length,
      getLine: () => ({ translateToString: () => line }),
    },
  },
});

test("a shell that waits at its prompt may be closed without a question", () => {
  for (const prompt of ["/ # ", "root@0123456789ab:/app# ", "user@host ~ % ", "bash-5.2$ ", "❯ "]) {
    assert.equal(looksBusy(at(prompt)), false, prompt);
  }
  for (const line of ["", "Compiling…", "Password: ", "/ # sleep 100"]) {
    assert.equal(looksBusy(at(line)), true, line);
  }
  assert.equal(looksBusy(at("/ # ", "alternate")), true);
});

test("the keys that leave a terminal are none that programs in it need", () => {
  const key = (name, more = {}) => ({
    key: name,
    ctrlKey: false,
    shiftKey: false,
    altKey: false,
    metaKey: false,
    ...more,
  });
  assert.equal(leavesTerminal(key("F6", { ctrlKey: true })), true);
  assert.equal(leavesTerminal(key("Escape", { ctrlKey: true, shiftKey: true })), true);
  assert.equal(leavesTerminal(key("Escape")), false);
  assert.equal(leavesTerminal(key("F6")), false);
  assert.equal(leavesTerminal(key("Tab", { ctrlKey: true })), false);
});

test("a terminal is called by its container and by what runs, unless that is a shell", () => {
  const session = { name: "shop-web-1", container: "0123456789abcdef", command: [], kind: "exec" };
  assert.equal(nameOfSession(session), "shop-web-1");
  assert.equal(nameOfSession({ ...session, command: ["top", "-d", "1"] }), "shop-web-1 · top -d 1");
  assert.equal(nameOfSession({ ...session, name: "", kind: "toolbox" }), "0123456789ab · toolbox");
  assert.equal(nameOfSession(null), "");
});

test("every way to end has its sentence, an exit has its code", () => {
  const end = (reason, code = null) => texts.endSentence({ reason, code, message: "" });
  assert.match(end("exit", 130), /130/);
  assert.match(end("exit", 0), /\(exit code 0\)/);
  assert.match(end("command-ended", 2), /exit code 2/);
  const reasons = [
    ...["closed", "signed-out", "detached", "idle", "lifetime", "container-stopped"],
    ...["container-removed", "engine-lost", "server-stopped", "server-lost", "no-shell"],
    ...["not-started", "command-ended", "admin"],
  ];
  assert.equal(new Set(reasons.map((reason) => end(reason))).size, reasons.length);
  assert.equal(end("something new"), end("closed"));
});

test("what the engine said is shown where it explains more than the sentence", () => {
  const message = 'exec: "nope": executable file not found';
  assert.equal(texts.endFact({ reason: "not-started", code: null, message }), message);
  assert.equal(texts.endFact({ reason: "exit", code: 1, message }), "");
});

test("a notice is said in the reader's words, an unknown one in the server's", () => {
  const soon = { code: "ending-soon", message: "nothing happens here: … ends in 5 minutes" };
  assert.match(texts.noticeSentence(soon), /in 5 minutes/);
  assert.match(texts.noticeSentence({ code: "paused", message: "x" }), /is paused/);
  assert.equal(texts.noticeSentence({ code: "new", message: "something new" }), "Something new");
});
