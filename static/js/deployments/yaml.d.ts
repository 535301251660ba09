// The types of yaml, which the copy in static/vendor does not carry.

export { parseDocument } from "yaml";
export type { Document } from "yaml";
