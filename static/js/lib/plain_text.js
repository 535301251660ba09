// A line of log as one line of plain text: no colours, no cursor movements, no control bytes.

// CSI (colours, cursor), OSC (titles, links) up to its end, other escapes of two characters.
const ESCAPES =
  // eslint-disable-next-line no-control-regex
  /\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]/g;
const CONTROLS = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/g;

/**
 * @param {string} text
 * @param {number} [longest] characters
 */
export function plain(text, longest = 300) {
  const shown = text.slice(0, longest * 4).replace(ESCAPES, "");
  // A progress bar rewrites its line: what a terminal would show is what came last.
  const parts = shown.split("\r").filter((part) => part.trim());
  return (parts[parts.length - 1] ?? "")
    .replace(/\t/g, "  ")
    .replace(CONTROLS, "")
    .slice(0, longest);
}
