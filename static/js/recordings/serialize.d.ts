// The types of the addon, which the copy in static/vendor does not carry.

export { SerializeAddon } from "@xterm/addon-serialize";
