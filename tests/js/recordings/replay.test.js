// Recordings: reading them in pieces, their clocks, playing, seeking, searching.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  CastReader,
  NotARecording,
  Recording,
  sizeOf,
} from "../../../static/js/recordings/recording.js";
import {
  formatPosition,
  positionHash,
  readPosition,
  Timeline,
} from "../../../static/js/recordings/timeline.js";
import { Player } from "../../../static/js/recordings/player.js";
import { excerpt, Finder, search } from "../../../static/js/recordings/transcript.js";

const HEADER = { version: 2, width: 100, height: 30, timestamp: 1_767_225_600 };

/** @param {[number, string, string][]} events */
function cast(...events) {
  return [HEADER, ...events].map((line) => JSON.stringify(line) + "\n").join("");
}

/**
 * @param {string} text
 * @param {number} [size] bytes of a piece
 */
function read(text, size = 1 << 20) {
  const reader = new CastReader();
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length; at += size) reader.push(bytes.subarray(at, at + size));
  reader.end();
  return reader.recording;
}

/** A screen that remembers what was put on it. */
class Sink {
  columns = 0;
  rows = 0;
  text = "";
  kept = 0;
  written = 0;
  /** @type {string[]} */
  said = [];

  reset(columns, rows) {
    this.text = "";
    this.said.push(`reset ${columns}x${rows}`);
    Object.assign(this, { columns, rows });
  }

  resize(columns, rows) {
    this.said.push(`resize ${columns}x${rows}`);
    Object.assign(this, { columns, rows });
  }

  async write(text) {
    await null;
    this.text += text;
    this.written += text.length;
  }

  keep() {
    this.kept++;
    return this.text;
  }
}

const player = (recording, limit = Infinity) => {
  const sink = new Sink();
  return { sink, play: new Player(recording, new Timeline(recording, limit), sink) };
};
const settle = () => new Promise((resolve) => setTimeout(resolve));

test("a recording is the same in whatever pieces it comes", () => {
  const text = cast(
    [0.5, "o", "héllo 🦊\r\n"],
    [1, "r", "120x40"],
    [2, "m", "here"],
    [3, "o", "."],
  );
  for (const size of [1, 2, 3, 7, 1000]) {
    const recording = read(text, size);
    assert.deepEqual(recording.times, [0.5, 1, 3]);
    assert.deepEqual(recording.kinds, ["o", "r", "o"]);
    assert.deepEqual(recording.data, ["héllo 🦊\r\n", "120x40", "."]);
    assert.deepEqual(recording.markers, [{ time: 2, label: "here" }]);
    assert.deepEqual(recording.size, { columns: 100, rows: 30 });
    assert.equal(recording.duration, 3);
    assert.equal(recording.damaged, 0);
  }
});

test("a recording that was cut in a line is read up to there", () => {
  const recording = read(cast([0.5, "o", "a"]) + '[1.0, "o", "whole but for');
  assert.deepEqual(recording.data, ["a"]);
  assert.equal(recording.damaged, 1);
  assert.ok(recording.complete);
});

test("what is no recording says so", () => {
  assert.throws(() => read("<html>"), NotARecording);
  assert.throws(() => read('{"version":1}\n'), NotARecording);
  assert.throws(() => read(""), NotARecording);
});

test("what is printed within a hundredth of a second is one event; a large one is several", () => {
  const recording = read(
    cast([1, "o", "a"], [1.004, "o", "b"], [1.009, "o", "c"], [1.02, "o", "d"]),
  );
  assert.deepEqual(recording.data, ["abc", "d"]);
  const large = read(cast([1, "o", "x".repeat(200_000)]));
  assert.equal(large.data.join("").length, 200_000);
  assert.ok(large.data.every((piece) => piece.length <= 65_536));
  assert.equal(large.length, 200_000);
});

test("time never runs backwards, and no size is no size", () => {
  const recording = read(cast([2, "o", "a"], [1, "o", "b"], [3, "r", "0x0"], [3, "r", "wide"]));
  assert.deepEqual(recording.times, [2]);
  assert.equal(recording.data[0], "ab");
  assert.equal(recording.damaged, 2);
  assert.deepEqual(sizeOf("99999x99999"), { columns: 1000, rows: 500 });
});

test("pauses are shortened, and both clocks lead to each other", () => {
  const recording = read(cast([1, "o", "a"], [11, "o", "b"], [12, "o", "c"], [112, "o", "d"]));
  const timeline = new Timeline(recording, 2);
  assert.equal(timeline.length, 1 + 2 + 1 + 2);
  assert.equal(timeline.saved, 8 + 98);
  assert.deepEqual(timeline.pauses, [
    { from: 1, to: 11 },
    { from: 12, to: 112 },
  ]);
  assert.equal(timeline.toShown(1), 1);
  assert.equal(timeline.toShown(2), 2);
  assert.equal(timeline.toShown(9), 3, "the rest of a pause takes no time");
  assert.equal(timeline.toShown(11), 3);
  assert.equal(timeline.toReal(3), 11);
  for (const time of [0, 0.5, 1, 2, 11, 11.5, 12, 13, 112]) {
    assert.equal(timeline.toReal(timeline.toShown(time)), time);
  }
  assert.equal(timeline.pauseAt(5)?.to, 11);
  assert.equal(timeline.pauseAt(11.5), null);
  timeline.setLimit(Infinity);
  assert.equal(timeline.length, 112);
  assert.equal(timeline.toReal(57), 57);
});

test("a timeline grows with its recording", () => {
  const reader = new CastReader();
  const encode = (text) => new TextEncoder().encode(text);
  reader.push(encode(cast([1, "o", "a"])));
  const timeline = new Timeline(reader.recording, 1);
  reader.push(encode('[10,"o","b"]\n[20,"o","c"]\n'));
  timeline.extend();
  assert.deepEqual(timeline.pauses, [
    { from: 1, to: 10 },
    { from: 10, to: 20 },
  ]);
  assert.equal(timeline.length, 3);
});

test("playing shows each event when its time has come, at any speed", async () => {
  const { sink, play } = player(read(cast([1, "o", "a"], [2, "o", "b"], [4, "o", "c"])));
  play.play();
  play.tick(0.9);
  await settle();
  assert.equal(sink.text, "");
  assert.deepEqual(sink.said, ["reset 100x30"]);
  play.tick(0.2);
  await settle();
  assert.equal(sink.text, "a");
  play.setSpeed(2);
  play.tick(0.5);
  await settle();
  assert.equal(sink.text, "ab");
  play.tick(10);
  await settle();
  assert.equal(sink.text, "abc");
  assert.ok(play.ended);
  assert.equal(play.playing, false);
  play.play();
  await settle();
  assert.equal(play.at, 0, "playing at the end begins anew");
  assert.equal(sink.text, "");
});

test("playing waits for what has not come yet", async () => {
  const reader = new CastReader();
  reader.push(new TextEncoder().encode(cast([1, "o", "a"])));
  const { sink, play } = player(reader.recording);
  play.play();
  play.tick(5);
  await settle();
  assert.equal(play.at, 1);
  assert.ok(play.starved);
  reader.push(new TextEncoder().encode('[2,"o","b"]\n'));
  play.timeline.extend();
  play.tick(0.5);
  play.tick(0.6);
  await settle();
  assert.equal(sink.text, "ab");
});

test("a pause is jumped over while playing", async () => {
  const { sink, play } = player(read(cast([1, "o", "a"], [1001, "o", "b"])), 2);
  play.play();
  play.tick(1);
  play.tick(1.9);
  assert.ok(play.at < 3);
  play.tick(0.2);
  await settle();
  assert.equal(sink.text, "ab");
});

test("a size comes between what was printed before and after it", async () => {
  const { sink, play } = player(
    read(cast([1, "o", "a"], [1.5, "r", "120x40"], [2, "o", "b"], [3, "o", "c"])),
  );
  await play.seek(2);
  assert.deepEqual([sink.text, sink.columns, sink.rows], ["ab", 120, 40]);
  await play.seek(1.2);
  assert.deepEqual([sink.text, sink.columns], ["a", 100]);
  await play.seek(0);
  play.play();
  play.tick(2.5);
  assert.equal(sink.columns, 100, "not before the text in front of it is taken in");
  await settle();
  for (let i = 0; i < 3; i++) {
    play.tick(0.5);
    await settle();
  }
  assert.deepEqual([sink.text, sink.columns], ["ab", 120]);
});

test("seeking forward reads on, seeking back reads from the nearest keyframe", async () => {
  const piece = "0123456789abcdef".repeat(4000); // 64,000 characters
  const events = Array.from({ length: 200 }, (_, i) => [i + 1, "o", piece]);
  const { sink, play } = player(read(cast(...events)));
  await play.seek(10);
  assert.equal(sink.text.length, 10 * piece.length);
  await play.seek(12);
  assert.equal(sink.said.length, 1, "no reset on the way forward");
  await play.seek(200);
  assert.equal(sink.text.length, 200 * piece.length);
  assert.ok(sink.kept >= 2);
  sink.written = 0;
  await play.seek(190);
  assert.equal(sink.text.length, 190 * piece.length);
  assert.equal(sink.said.length, 2);
  const restored = sink.written - sink.text.length;
  assert.equal(restored, 0, "a keyframe and what follows it, nothing twice");
  await play.seek(0.5);
  assert.equal(sink.text, "");
});

test("a later seek ends an earlier one", async () => {
  const events = Array.from({ length: 100 }, (_, i) => [i + 1, "o", "x".repeat(60_000)]);
  const { sink, play } = player(read(cast(...events)));
  const first = play.seek(100);
  const second = play.seek(3);
  assert.equal(await first, false);
  assert.equal(await second, true);
  await settle();
  assert.equal(sink.text.length, 3 * 60_000);
  assert.equal(play.at, 3);
  assert.equal(play.target, null);
});

test("seeking in the middle of playing draws nothing of before over it", async () => {
  const { sink, play } = player(read(cast([1, "o", "a"], [2, "o", "b"], [3, "o", "c"])));
  play.play();
  play.tick(3);
  void play.seek(1);
  await settle();
  await settle();
  assert.equal(sink.text, "a");
});

test("what was printed is found, across events, escapes and typing mistakes", () => {
  const find = (query, ...events) => {
    const finder = new Finder(query);
    for (const [time, text] of events) finder.push(text, time);
    finder.end();
    return finder.hits;
  };
  assert.equal(find("needle", [1, "nee"], [2, "dle\r\n"])[0].time, 2);
  assert.equal(find("NEEDLE", [1, "a \x1b[31mnee\x1b[0mdle b\n"])[0].text, "a needle b");
  assert.equal(find("needle", [1, "nee\x1b["], [2, "31mdle\n"]).length, 1);
  assert.equal(find("needle", [1, "\x1b]0;needle"], [2, "\x07ok\n"]).length, 0);
  assert.equal(find("needle", [1, "nex\b \bedle\n"]).length, 1);
  assert.equal(find("needle", [1, "nee\x1b[5;1Hdle\n"]).length, 0, "two lines of a screen");
  assert.equal(find("终端", [1, "打开终端\r\n"])[0].at, 2);
  assert.equal(find("a", [1, "a\na\n"], [2, "b a"]).length, 3);
  assert.equal(find("", [1, "a\n"]).length, 0);
});

test("searching a long recording gives the page its turn and ends at a thousand hits", async () => {
  const events = Array.from({ length: 100 }, (_, i) => [i + 1, "o", "needle\r\n".repeat(8000)]);
  const recording = read(
    cast(...events.slice(0, 40).map(([t, k]) => [t, k, "hay\n".repeat(16_000)])),
  );
  let turns = 0;
  let last;
  for await (const found of search(recording, "needle", async () => void turns++)) last = found;
  assert.ok(turns >= 2);
  assert.deepEqual(last, { hits: [], done: 1, more: false });
  for await (const found of search(read(cast(...events)), "needle", settle)) last = found;
  assert.equal(last.hits.length, 1000);
  assert.ok(last.more);
});

test("an excerpt is what a list has room for", () => {
  const text = `${"x".repeat(100)} needle ${"y".repeat(300)}`;
  const [before, found, after] = excerpt({ time: 0, text, at: 101, length: 6 });
  assert.equal(found, "needle");
  assert.ok(before.startsWith("…") && before.length < 70);
  assert.equal(after.length, 200);
});

test("moments are written and read", () => {
  assert.equal(formatPosition(5.9), "0:05");
  assert.equal(formatPosition(3725), "1:02:05");
  assert.equal(formatPosition(65, true), "0:01:05");
  assert.equal(readPosition("#t=12.5"), 12.5);
  assert.equal(readPosition("#t=1:02:05"), 3725);
  assert.equal(readPosition("#t=1:2:3:4"), null);
  assert.equal(readPosition("#x"), null);
  assert.equal(readPosition("#t=.."), null);
  assert.equal(positionHash(12.591), "#t=12.6", "what came at that moment is there");
  assert.equal(positionHash(1.11), "#t=1.11");
  assert.equal(readPosition(positionHash(7)), 7);
});

test("a recording is not held twice: an empty one has no length", () => {
  const recording = new Recording();
  assert.equal(recording.length, 0);
  assert.equal(recording.indexAt(5), 0);
});
