// xterm.js's addon that writes down a screen so that it can be brought back.

export { SerializeAddon } from "../../vendor/xterm/addon-serialize.js";
