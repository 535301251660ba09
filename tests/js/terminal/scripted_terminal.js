// A terminal as the page speaks it, with a server that is the test.

import { TerminalSocket } from "../../../static/js/terminal/terminal_socket.js";
import { socket } from "../scripted_socket.js";

export const SIZE = { columns: 80, rows: 24 };
export const TICKET = {
  T_id: "team",
  S_id: "web",
  C_id: "0123456789ab",
  Md5: "x",
  session: "5e55",
};

/** A terminal that only keeps what it is told. Output is drawn when the test says so. */
export function made(entry = { ticket: TICKET }) {
  const screen = { text: "", drawing: [], resets: [], said: [], sizes: [], states: [] };
  const connection = new TerminalSocket(entry, SIZE, "tab", {
    output: (bytes, drawn) => {
      screen.text += new TextDecoder().decode(bytes);
      screen.drawing.push(drawn);
    },
    reset: (restore, skipped) => {
      screen.resets.push([restore, skipped]);
      screen.text = "";
    },
    resize: (columns, rows) => {
      screen.text += `[${columns}x${rows}]`;
    },
    size: (columns, rows, by) => screen.sizes.push([columns, rows, by]),
    notice: (said) => screen.said.push(said.code),
    error: (said) => screen.said.push(said.code),
  });
  connection.addEventListener("state", () => screen.states.push(connection.phase));
  connection.start();
  const draw = () => screen.drawing.splice(0).forEach((drawn) => drawn());
  return { connection, screen, draw };
}

export const attached = (more = {}) => ({
  op: "attached",
  session: { id: "5e55", kind: "exec" },
  mode: "own",
  me: 1,
  offset: 0,
  reset: true,
  restore: "",
  input: 0,
  window: 1000,
  people: [{ id: 1, name: "ada", mode: "own", keyboard: true, columns: 80, rows: 24 }],
  ...more,
});

/** One that has begun. */
export function begun(more) {
  const one = made();
  socket().accept();
  socket().say(attached(more));
  return one;
}

export const keys = (text) => new TextEncoder().encode(text);
